import type { Paragraph, Scenario, Step } from "../steps.ts";
import { barChart, list, pieChart, stackedBarChart, table, words } from "../steps.ts";
import type { Topic } from "../topic.ts";

const firstWave = (topic: Topic): readonly Step[] => [
  pieChart({
    id: "budget-split",
    title: `Budget split: ${topic.subject}`,
    segments: [
      { label: "Paid social", value: 34 },
      { label: "Partnerships", value: 22 },
      { label: "Content and search", value: 18 },
      { label: "Launch events", value: 14 },
      { label: "Reserve", value: 12 },
    ],
  }),
  barChart({
    id: "segment-demand",
    title: "Interested households by segment (thousands)",
    labels: ["City couples", "Young families", "Students", "Home offices", "Small teams"],
    series: [
      { name: "Would try", values: [46, 31, 27, 22, 13] },
      { name: "Would pay today", values: [18, 14, 6, 11, 7] },
    ],
    orientation: "horizontal",
  }),
  table({
    id: "milestones",
    title: "Twelve weeks to launch",
    columns: ["Weeks", "Milestone", "Owner", "Spend (EUR)", "Done when"],
    rows: [
      ["1–2", "Positioning and price test", "Product", "6,000", "400 survey answers, price range fixed"],
      ["3–4", "Landing page and waiting list", "Growth", "9,500", "1,500 sign-ups at under 4 EUR each"],
      ["5–7", "Closed pilot in two cities", "Operations", "24,000", "200 paying pilots, churn below 8 %"],
      ["8–9", "Partner agreements", "Sales", "11,000", "Three partners signed"],
      ["10–11", "Campaign build-up", "Marketing", "38,500", "Creative and media plan booked"],
      ["12", "Public launch", "Everyone", "31,000", "1,000 orders in the first ten days"],
    ],
  }),
];

const secondWave: readonly Step[] = [
  stackedBarChart({
    id: "revenue-by-plan",
    title: "Expected monthly revenue by plan (thousand EUR)",
    labels: ["Month 1", "Month 2", "Month 3", "Month 4", "Month 5", "Month 6"],
    series: [
      { name: "Starter", values: [9, 14, 19, 24, 28, 31] },
      { name: "Plus", values: [5, 11, 18, 27, 36, 44] },
      { name: "Team", values: [1, 3, 6, 10, 15, 21] },
    ],
    orientation: "vertical",
  }),
  list({
    id: "launch-risks",
    title: "Risks to watch, the largest first",
    ordered: true,
    items: [
      "Acquisition cost rises above 28 EUR: stop paid social and shift to partners within a week.",
      "Pilot churn above 8 %: delay the public launch by four weeks and fix onboarding first.",
      "A competitor cuts prices: answer with the annual plan, not with a discount.",
      "Supply slips: cap orders per week and say so on the landing page.",
    ],
  }),
];

const message = (topic: Topic): readonly Paragraph[] => [
  `## Launch plan`,
  `You wrote: “${topic.quote}”`,
  "Put a third of the money into paid social, but keep a reserve of 12 % until the pilot has spoken.",
  { show: "budget-split" },
  "City couples are the widest group; home offices convert best, so the pilot should hold both.",
  { show: "segment-demand" },
  "Twelve weeks are enough if the price is fixed by the end of week two.",
  { show: "milestones" },
  "The middle plan carries the revenue from the fourth month on.",
  { show: "revenue-by-plan" },
  "Four risks deserve a named owner and a tripwire:",
  { show: "launch-risks" },
];

export const business: Scenario = {
  keywords: words(
    "launch market marketing budget revenue pricing price sales " +
      "customers campaign investor competitor competitors subscription business startup growth",
  ),
  answer: (topic) => ({ waves: [firstWave(topic), secondWave], message: message(topic) }),
};
