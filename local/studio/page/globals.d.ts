import type { Chart as ChartClass } from "chart.js";

declare global {
  /** Of Chart.js's UMD build, which the server hands out as /page/vendor/chart.js. */
  const Chart: typeof ChartClass;
}
