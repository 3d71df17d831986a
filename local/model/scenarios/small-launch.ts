import { suggestions } from "../../studio/page/suggestions.js";
import { checklist, file, pieChart, type Scenario } from "../steps.ts";

const brief = `# Brief: a small coffee subscription

**Offer.** Two bags of fresh coffee (250 g each) a month for 19 €, shipping included. Cancel at any time.

**For whom.** People who drink two cups a day at home and do not want to think about buying coffee.

**Goal of the first month.** 60 subscribers, and fewer than 6 cancellations.

## One box

| | € |
| --- | ---: |
| Price | 19.00 |
| Coffee | 8.00 |
| Box and label | 1.00 |
| Shipping | 4.50 |
| **Left over** | **5.50** |

60 subscribers bring 1,140 € a month, of which 330 € are left over.

## Budget: 5,000 €

Coffee for 200 boxes 1,600 · shipping of 200 boxes 900 · advertising 850 · 200 boxes and the label's design 700 ·
reserve 500 · web shop and payments 450

## What could go wrong

- **The coffee is late.** A second roaster has agreed to step in within five days.
- **Too few subscribers.** Below 30 after three weeks, advertising stops and the price is tested anew.
- **Shipping costs more.** Above 5 € a box, one box goes out every two months with four bags.
`;

export const smallLaunch: Scenario = {
  prompt: suggestions.launch.text,
  hasFigures: true,
  waves: [
    [
      checklist({
        id: "first-month",
        title: "The first month",
        items: [
          { id: "register", label: "Week 1: register the business and the sale of food", checked: false },
          {
            id: "roasters",
            label: "Week 1: taste the coffee of three roasters, agree with two",
            checked: false,
          },
          { id: "price", label: "Week 1: ask 20 people whether they would pay 19 € a month", checked: false },
          { id: "shop", label: "Week 2: open the web shop with one plan and card payments", checked: false },
          { id: "label", label: "Week 2: order 200 boxes and labels", checked: false },
          {
            id: "test-boxes",
            label: "Week 2: send five boxes to friends and time the delivery",
            checked: false,
          },
          { id: "announce", label: "Week 3: open the waiting list and start advertising", checked: false },
          { id: "first-boxes", label: "Week 3: pack and send the first boxes", checked: false },
          { id: "ask", label: "Week 4: call ten subscribers and ask what they would change", checked: false },
          {
            id: "review",
            label: "Week 4: compare subscribers, cancellations and cost with the brief",
            checked: false,
          },
        ],
      }),
      pieChart({
        id: "budget",
        title: "Budget of 5,000 €",
        segments: [
          { label: "Coffee for 200 boxes", value: 1_600 },
          { label: "Shipping of 200 boxes", value: 900 },
          { label: "Advertising", value: 850 },
          { label: "Boxes and label", value: 700 },
          { label: "Reserve", value: 500 },
          { label: "Web shop and payments", value: 450 },
        ],
      }),
    ],
    [file({ name: "brief.md", content: brief })],
  ],
  message: [
    "## Launch of a small coffee subscription",
    "Start with one plan: two bags a month for 19 €. The first month has one goal, 60 subscribers, and ten steps lead there:",
    { show: "first-month" },
    "Half of the 5,000 € buys and ships 200 boxes, which is enough for the first three months at that goal. 500 € stay in reserve.",
    { show: "budget" },
    "The brief says on one page what you offer, what a box leaves over, and when to change course:",
    { show: "brief.md" },
  ],
};
