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
  <rect x="474" y="60" width="150" height="80" rx="10" fill="#e8f7f1" stroke="#1f9d77"/><text x="549" y="105" text-anchor="middle">Kitchen</text>
  <path d="M166 100h72M395 100h72" stroke="#555" stroke-width="2" fill="none"/>
  <path d="M238 94l10 6-10 6zM467 94l10 6-10 6z" fill="#555"/>
</svg>`;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"] as const;

const charts: Deliverables["charts"] = [
  {
    kind: "pie",
    id: "budget",
    title: "Budget of the first quarter",
    segments: [
      { label: "Beans", value: 2100 },
      { label: "Packaging", value: 900 },
      { label: "Shipping", value: 1250 },
      { label: "Marketing", value: 500 },
      { label: "Reserve", value: 250 },
    ],
  },
  {
    kind: "bar",
    id: "orders",
    title: "Orders by roast",
    labels: [...months],
    series: [
      { name: "Light", values: [12, 19, 31, 42, 55, 61] },
      { name: "Dark", values: [9, 14, 18, 30, 34, 47] },
    ],
  },
  {
    kind: "bar",
    id: "countries",
    title: "Subscribers by country",
    orientation: "horizontal",
    labels: ["Portugal", "Germany", "Netherlands", "United Kingdom", "Austria"],
    series: [{ name: "Subscribers", values: [420, 1310, 760, 980, 240] }],
  },
  {
    kind: "stacked_bar",
    id: "costs",
    title: "Costs a month",
    labels: [...months],
    series: [
      { name: "Beans", values: [700, 820, 900, 1100, 1300, 1500] },
      { name: "Packaging", values: [300, 320, 330, 360, 400, 420] },
      { name: "Shipping", values: [400, 450, 520, 610, 700, 780] },
    ],
  },
  {
    kind: "line",
    id: "revenue",
    title: "Revenue against plan",
    labels: [...months],
    series: [
      { name: "Plan", values: [1000, 1500, 2100, 2800, 3600, 4500] },
      { name: "Actual", values: [900, 1650, 2050, 3100, 3900, 5200] },
    ],
  },
  {
    kind: "area",
    id: "visits",
    title: "Visits",
    labels: [...months],
    series: [{ name: "Visits", values: [12_000, 15_500, 14_200, 21_000, 26_500, 31_000] }],
  },
  {
    kind: "scatter",
    id: "beans",
    title: "Price and score of beans",
    series: [
      {
        name: "Africa",
        points: [
          { x: 18, y: 86, label: "Yirgacheffe" },
          { x: 22, y: 88.5, label: "Nyeri" },
          { x: 16, y: 84 },
        ],
      },
      {
        name: "America",
        points: [
          { x: 12, y: 82, label: "Huila" },
          { x: 29, y: 91, label: "Geisha" },
        ],
      },
    ],
  },
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
        [
          "Regular",
          "2",
          "17.90 €",
          "24 %",
          "Monday and Thursday",
          "two people who like filter coffee",
          "the 20th",
        ],
        ["Office", "8", "64.00 €", "31 %", "Thursday", "a team of up to twelve", "two weeks ahead"],
      ],
    },
  ],
  svgs: [{ id: "way", title: "The way of a box", content: svg }],
  lists: [
    {
      id: "steps",
      title: "Roasting steps",
      ordered: true,
      items: [
        "Heat the drum to 200 °C",
        "Charge the beans",
        "Wait for the first crack",
        "Drop and cool within four minutes",
      ],
    },
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
