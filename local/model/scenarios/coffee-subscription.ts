import { barChart, list, pieChart, stackedBarChart, table, type Scenario } from "../steps.ts";

export const coffeeSubscription: Scenario = {
  prompt:
    "We want to launch a cold-brew coffee subscription in Hamburg and Berlin this spring. The marketing budget is " +
    "120,000 EUR for twelve weeks. Who are the customers, how should we split the money, what revenue can we expect " +
    "in the first six months, and what could go wrong?",
  hasFigures: true,
  waves: [
    [
      barChart({
        id: "customers",
        title: "Interested customers in both cities (thousands)",
        labels: ["City couples", "Young families", "Students", "Home offices", "Small companies"],
        series: [
          { name: "Would try", values: [46, 31, 27, 22, 13] },
          { name: "Would pay today", values: [18, 14, 6, 13, 7] },
        ],
        orientation: "horizontal",
      }),
      pieChart({
        id: "budget-split",
        title: "Budget of 120,000 EUR",
        segments: [
          { label: "Paid social", value: 40_800 },
          { label: "Partnerships", value: 26_400 },
          { label: "Content and search", value: 21_600 },
          { label: "Launch events", value: 16_800 },
          { label: "Reserve", value: 14_400 },
        ],
      }),
      table({
        id: "milestones",
        title: "Twelve weeks to the launch",
        columns: ["Weeks", "Milestone", "Owner", "Budget (EUR)", "Done when"],
        rows: [
          ["1–2", "Positioning and price test", "Product", "6,000", "400 answers, the price is fixed"],
          ["3–4", "Landing page and waiting list", "Growth", "9,600", "2,000 sign-ups at under 5 EUR each"],
          [
            "5–7",
            "Pilot in one district of each city",
            "Operations",
            "21,000",
            "200 paying, churn below 8 %",
          ],
          ["8–9", "Agreements with partners", "Sales", "11,000", "Three partners signed"],
          ["10–11", "Campaign in both cities", "Marketing", "33,000", "Creative and media plan booked"],
          ["12", "Public launch", "Everyone", "25,000", "1,000 orders in the first ten days"],
          ["–", "Reserve until the pilot has ended", "Founders", "14,400", "Spent only by a decision"],
        ],
      }),
    ],
    [
      stackedBarChart({
        id: "revenue-by-plan",
        title: "Expected revenue a month by plan (thousand EUR)",
        labels: ["Month 1", "Month 2", "Month 3", "Month 4", "Month 5", "Month 6"],
        series: [
          { name: "Starter", values: [9, 14, 19, 24, 28, 31] },
          { name: "Plus", values: [5, 11, 18, 27, 36, 44] },
          { name: "Team", values: [1, 3, 6, 10, 15, 21] },
        ],
        orientation: "vertical",
      }),
      list({
        id: "risks",
        title: "What could go wrong, the largest risk first",
        ordered: true,
        items: [
          "A new customer costs more than 28 EUR: stop paid social and shift to partners within a week.",
          "Churn in the pilot above 8 %: delay the launch by four weeks and fix the first delivery.",
          "A competitor cuts prices: answer with a plan for a year, not with a discount.",
          "Supply slips: cap the orders of a week and say so on the landing page.",
        ],
      }),
    ],
  ],
  message: [
    "## Cold brew in Hamburg and Berlin",
    "**Customers.** City couples are the largest group, but home offices are the most willing to pay: 13 of 22. The pilot should have both.",
    { show: "customers" },
    "**Budget.** A third goes into paid social. 12 % stay in reserve until the pilot has ended.",
    { show: "budget-split" },
    "Spread over the twelve weeks, with what each step has to show:",
    { show: "milestones" },
    "**Revenue.** 322,000 EUR in the six months after the launch: 15,000 in the first, 96,000 in the sixth. From the fourth month on, Plus is the largest plan.",
    { show: "revenue-by-plan" },
    "**Risks.** Each has a number that tells you when to act:",
    { show: "risks" },
  ],
};
