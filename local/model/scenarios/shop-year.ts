import { suggestions } from "../../studio/page/suggestions.js";
import { areaChart, lineChart, scatterChart, stackedBarChart, type Scenario } from "../steps.ts";

/** One item an order, at 42 € each. */
const months = [
  { month: "Jan", visitors: 8_200, orders: 190, advertising: 600, stock: 710 },
  { month: "Feb", visitors: 7_900, orders: 180, advertising: 550, stock: 530 },
  { month: "Mar", visitors: 8_600, orders: 205, advertising: 700, stock: 825 },
  { month: "Apr", visitors: 9_100, orders: 220, advertising: 800, stock: 605 },
  { month: "May", visitors: 9_400, orders: 230, advertising: 850, stock: 775 },
  { month: "Jun", visitors: 8_800, orders: 210, advertising: 700, stock: 565 },
  { month: "Jul", visitors: 8_300, orders: 195, advertising: 600, stock: 670 },
  { month: "Aug", visitors: 8_700, orders: 210, advertising: 700, stock: 760 },
  { month: "Sep", visitors: 9_900, orders: 245, advertising: 1_000, stock: 915 },
  { month: "Oct", visitors: 11_200, orders: 285, advertising: 1_300, stock: 1_230 },
  { month: "Nov", visitors: 15_600, orders: 430, advertising: 2_600, stock: 800 },
  { month: "Dec", visitors: 14_300, orders: 400, advertising: 2_400, stock: 400 },
] as const;

const labels = months.map(({ month }) => month);

export const shopYear: Scenario = {
  prompt: suggestions.shop.text,
  hasFigures: true,
  waves: [
    [
      lineChart({
        id: "visitors",
        title: "Visitors a month",
        labels,
        series: [{ name: "Visitors", values: months.map(({ visitors }) => visitors) }],
      }),
      stackedBarChart({
        id: "revenue",
        title: "Revenue by channel (€)",
        labels: ["Q1", "Q2", "Q3", "Q4"],
        series: [
          { name: "Search", values: [11_600, 12_900, 12_500, 17_000] },
          { name: "Newsletter", values: [6_300, 7_500, 7_900, 12_400] },
          { name: "Advertising", values: [6_250, 7_320, 6_900, 17_430] },
        ],
        orientation: "vertical",
      }),
    ],
    [
      areaChart({
        id: "stock",
        title: "Items in stock at the end of the month",
        labels,
        series: [{ name: "Items", values: months.map(({ stock }) => stock) }],
      }),
      scatterChart({
        id: "advertising",
        title: "Advertising (€, across) and orders (up), by month",
        series: [
          {
            name: "Month",
            points: months.map(({ month, advertising, orders }) => ({
              x: advertising,
              y: orders,
              label: month,
            })),
          },
        ],
      }),
    ],
  ],
  message: [
    "## The shop’s year",
    "120,000 visitors placed 3,000 orders of 42 € each: one visitor in forty bought something, and the year brought 126,000 €.",
    "November and December had a quarter of all visitors:",
    { show: "visitors" },
    "The fourth quarter brought 46,830 €, more than a third of the year. Search is the largest channel with 54,000 €; advertising follows with 37,900 €, almost half of it in the last quarter.",
    { show: "revenue" },
    "The shop never ran out, but it closed the year with 400 items: one more month like December empties it.",
    { show: "stock" },
    "Advertising worked, a little less each time: up to 1,300 € a month an extra order cost about 7 €, above that about 9 €.",
    { show: "advertising" },
  ],
};
