import { suggestions } from "../../studio/page/suggestions.js";
import { barChart, table, type Scenario } from "../steps.ts";

export const postgresHosting: Scenario = {
  prompt: suggestions.hosting.text,
  hasFigures: true,
  waves: [
    [
      table({
        id: "options",
        title: "Three ways to host PostgreSQL",
        columns: ["Fact", "Managed server", "Serverless", "Your own machine"],
        rows: [
          ["Price a month", "$68", "$39", "$24"],
          ["Your hours a month", "1", "0.5", "6"],
          ["With your hours at $60", "$128", "$69", "$384"],
          ["CPU and memory", "2 cores, 4 GB", "up to 2 cores, 8 GB", "2 cores, 4 GB"],
          ["Storage", "100 GB, grows to 16 TB", "50 GB", "80 GB"],
          ["Connections", "400", "100, or 1,000 through its pooler", "100, by default"],
          ["Backups", "daily, any second of 7 days", "any second of 7 days", "what you set up"],
          ["Failure of a machine", "back in about 2 minutes", "back in seconds", "back when you are"],
          [
            "Main limit",
            "pays for idle nights",
            "first query after a pause takes 1 s",
            "somebody must be on call",
          ],
        ],
      }),
    ],
    [
      barChart({
        id: "monthly-price",
        title: "Price a month (US dollars)",
        labels: ["Managed server", "Serverless", "Your own machine"],
        series: [
          { name: "Hosting", values: [68, 39, 24] },
          { name: "With your hours at $60", values: [128, 69, 384] },
        ],
        orientation: "vertical",
      }),
    ],
  ],
  message: [
    "## Hosting PostgreSQL for a team of five",
    "Costs and limits side by side:",
    { show: "options" },
    "The cheapest machine is the most expensive choice once the six hours of upkeep count:",
    { show: "monthly-price" },
    "### Recommendation",
    "**Take the serverless database.** It costs $69 a month with your time, against $128 and $384, and half an hour of upkeep is all that a team of five should spend. " +
      "Move to the managed server when the data comes near 50 GB, or when a first query that takes a second hurts a customer. " +
      "Keep your own machine for experiments that may be lost.",
  ],
};
