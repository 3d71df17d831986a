import type { Deliverables } from "../../local/studio/page-api.ts";

/** A result with every kind of deliverable and every kind of chart, as a runner posts it. */
export interface SampleResult extends Deliverables {
  readonly assistantMessage: string;
}

const assistantMessage = `# Coffee by post

The subscription breaks even in **month seven** if churn stays under 6 %. Most of the budget goes to beans:

{{artifact:chart:budget}}

Revenue grows with the number of boxes. The table has the details, and { {not a placeholder} } stays text.

{{ Artifact : TABLE : Plans }}

## What to do first

Start here: {{artifact:checklist:first-month}} and keep the order of the [roasting steps]({{artifact:list:steps}}) below.

| Roast | Days |
| --- | ---: |
| light | 4 |
| dark | 9 |

The way of a box, drawn: {{artifact:svg:way}}

A placeholder in code stays as it is: \`{{artifact:chart:budget}}\`.
`;

const markdownFile = `# Brief

One page about the *launch*.

- beans
- boxes
- [a link](https://example.com/)
`;

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 200" font-family="sans-serif" font-size="16">
  <rect x="16" y="60" width="150" height="80" rx="10" fill="#eef1ff" stroke="#3a5be0"/><text x="91" y="105" text-anchor="middle">Roastery</text>
  <rect x="245" y="60" width="150" height="80" rx="10" fill="#fff4e8" stroke="#e0812b"/><text x="320" y="105" text-anchor="middle">Post</text>
  <path d="M166 100h72" stroke="#555" stroke-width="2" fill="none"/>
</svg>`;

const labels = ["Jan", "Feb", "Mar"];
const actual = { name: "Actual", values: [900, 1650, 2050] };
const plan = { name: "Plan", values: [1000, 1500, 2100] };
const segments = [
  { label: "Beans", value: 2100 },
  { label: "Packaging", value: 900 },
  { label: "Shipping", value: 2000 },
];
const points = [
  { x: 18, y: 86, label: "Yirgacheffe" },
  { x: 16, y: 84 },
];
const orientation = "horizontal";

const charts: Deliverables["charts"] = [
  { kind: "pie", id: "budget", title: "Budget of the first quarter", segments },
  { kind: "bar", id: "orders", title: "Orders by roast", labels, series: [plan, actual] },
  { kind: "bar", id: "countries", title: "Subscribers by country", orientation, labels, series: [actual] },
  { kind: "stacked_bar", id: "costs", title: "Costs a month", labels, series: [plan, actual] },
  { kind: "line", id: "revenue", title: "Revenue against plan", labels, series: [plan, actual] },
  { kind: "area", id: "visits", title: "Visits", labels, series: [actual] },
  { kind: "scatter", id: "beans", title: "Price and score of beans", series: [{ name: "Africa", points }] },
];

export const sampleResult: SampleResult = {
  assistantMessage,
  files: [
    { name: "notes/brief.md", content: markdownFile },
    { name: "labels.txt", content: "Yirgacheffe <b>250 g</b>\nHuila 250 g\n" },
  ],
  charts,
  datasets: [
    {
      id: "plans",
      title: "Plans",
      columns: ["Plan", "Boxes", "Price", "Margin", "Ships on", "Good for", "Cancelled by"],
      rows: [
        ["Taster", "1", "9.90 €", "18 %", "Monday", "one person at home", "the 20th of a month"],
        ["Regular", "2", "17.90 €", "24 %", "Monday and Thursday", "two people", "the 20th"],
        ["Office", "8", "64.00 €", "31 %", "Thursday", "a team of up to twelve", "two weeks ahead"],
      ],
    },
  ],
  svgs: [{ id: "way", title: "The way of a box", content: svg }],
  lists: [
    { id: "steps", title: "Roasting steps", ordered: true, items: ["Heat", "Charge", "Cool"] },
    { id: "risks", title: "Risks", items: ["Customs delays", "A bad harvest"] },
  ],
  checklists: [
    {
      id: "first-month",
      title: "First month",
      items: [
        { id: "supplier", label: "Sign the contract with the roastery", checked: true },
        { id: "boxes", label: "Order 500 boxes", checked: false },
        { id: "site", label: "Put the landing page online", checked: false },
      ],
    },
  ],
};
