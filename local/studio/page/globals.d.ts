import type { Chart as ChartClass } from "chart.js";

declare global {
  /** Defined by Chart.js's UMD build, which the server serves as /page/vendor/chart.js. */
  const Chart: typeof ChartClass;
}
