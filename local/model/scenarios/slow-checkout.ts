import { areaChart, checklist, file, lineChart, scatterChart, type Scenario } from "../steps.ts";

const hours = ["08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00", "22:00"];

const runbook = `# Runbook: slow checkout

## When to use it

The 95th percentile stays above 800 ms for ten minutes, or the queue grows for five.

## First five minutes

1. Say in the incident channel that you have it.
2. Compare the time of the last release with the start of the rise.
3. If they are within fifteen minutes of each other, roll back first and look for the cause afterwards.

## Then

| Look at | Healthy | If it is not |
| --- | --- | --- |
| Database connections | below 70 % of the pool | raise the pool, find the query that holds them |
| Cache hit rate | above 92 % | warm the catalogue keys |
| Queue age | below 30 s | add two workers |

## Afterwards

Write down what was seen, what was done and what would have shown it earlier.
`;

export const slowCheckout: Scenario = {
  prompt:
    "Since the release on Monday our checkout is slow in the evening, and support tickets have doubled. Look at " +
    "latency and traffic over the day, tell us whether the release or the load is to blame, and give the team a " +
    "checklist for this week and a runbook for the next incident.",
  hasFigures: true,
  waves: [
    [
      lineChart({
        id: "latency",
        title: "Latency over the day (ms)",
        labels: hours,
        series: [
          { name: "Median", values: [142, 151, 188, 176, 203, 264, 238, 161] },
          { name: "95th percentile", values: [410, 438, 615, 580, 742, 1180, 960, 472] },
          { name: "Target", values: [800, 800, 800, 800, 800, 800, 800, 800] },
        ],
      }),
      areaChart({
        id: "traffic",
        title: "Requests per second",
        labels: hours,
        series: [
          { name: "Browsing", values: [120, 168, 240, 221, 262, 340, 301, 148] },
          { name: "Checkout", values: [18, 24, 39, 35, 46, 71, 58, 22] },
        ],
      }),
      scatterChart({
        id: "load-and-latency",
        title: "Requests per second (across) and 95th percentile in ms (up)",
        series: [
          {
            name: "Before the release",
            points: [
              { x: 140, y: 395 },
              { x: 190, y: 430 },
              { x: 255, y: 505 },
              { x: 310, y: 570 },
              { x: 395, y: 655, label: "Friday, 18:00" },
            ],
          },
          {
            name: "Since the release",
            points: [
              { x: 138, y: 410 },
              { x: 192, y: 438 },
              { x: 279, y: 615 },
              { x: 308, y: 742 },
              { x: 411, y: 1180, label: "Monday, 18:00" },
            ],
          },
        ],
      }),
    ],
    [
      checklist({
        id: "this-week",
        title: "This week",
        items: [
          { id: "rollback", label: "Roll the release back on staging and time it", checked: false },
          { id: "slow-query", label: "Add the missing index for the basket query", checked: false },
          { id: "pool-alarm", label: "Alarm when the connection pool is above 70 %", checked: false },
          { id: "load-test", label: "Repeat the load test at 450 requests per second", checked: false },
          { id: "review", label: "Review the incident with support, 30 minutes", checked: false },
        ],
      }),
      file({ name: "runbooks/slow-checkout.md", content: runbook }),
    ],
  ],
  message: [
    "## Why checkout is slow in the evening",
    "**Both are to blame: the release made it slow, and only under load.** The median is fine; the slow tail misses its target of 800 ms at 18:00 and 20:00, when most people buy.",
    { show: "latency" },
    "The load alone does not explain it. The evening’s 411 requests per second are three times the morning’s, but Friday’s peak was nearly as high:",
    { show: "traffic" },
    "At about 400 requests per second the slowest answers took 655 ms before the release and take 1,180 ms since. Below 200, nothing has changed, so look for something that runs out, such as database connections.",
    { show: "load-and-latency" },
    "For this week, the most urgent first:",
    { show: "this-week" },
    "And a runbook for the next time:",
    { show: "runbooks/slow-checkout.md" },
  ],
};
