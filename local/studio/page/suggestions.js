/**
 * Prompts for a first message. Together they ask for every kind of deliverable. The offline model has an
 * answer for each (local/model/scenarios.ts).
 */
export const suggestions = {
  launch: {
    name: "Plan a launch",
    text: "Plan the launch of a small coffee subscription: a checklist for the first month, a pie chart of a 5,000 € budget and a one-page brief as a file.",
  },
  hosting: {
    name: "Compare options",
    text: "Compare three ways to host PostgreSQL for a team of five: a table of costs and limits, a bar chart of the monthly price and your recommendation.",
  },
  caching: {
    name: "Explain something",
    text: "Explain HTTP caching to a new colleague: an SVG diagram of a request, an ordered list of the steps and a cheat sheet in Markdown.",
  },
  shop: {
    name: "Report on numbers",
    text: "Invent a year of a small online shop and report on it: a line chart of the visitors, a stacked bar chart of the revenue by channel, an area chart of the stock and a scatter chart of advertising against orders.",
  },
};
