/** The global of Chart.js's UMD build, which the server hands out as /page/vendor/chart.js. */
declare const Chart: typeof import("chart.js").Chart;
