import type { RunnerView } from "../../local/runs/view.ts";
import { json } from "../../local/studio/http.ts";
import type { TableRoute } from "../../local/studio/page-server.ts";
import { alarmNamed, fakeSource } from "../support/dashboard-source.ts";

export const place = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const metrics = [["StudioRunner", "Heartbeats", "pool", "a", { id: "m" }]];
export const lineWidget = (title: string, cells: ReturnType<typeof place>, more: object = {}) => ({
  type: "metric",
  ...cells,
  properties: { title, metrics, period: 60, ...more },
});

/** Values of the last minutes, oldest first, the last one in the current minute. */
export const lately = (values: readonly number[]) =>
  values.map((value, at) => {
    const minute = Math.floor(Date.now() / 60_000) - (values.length - 1 - at);
    return [minute * 60_000, value] as const;
  });

export const everyWidget = [
  { type: "text", ...place(0, 0, 24, 1), properties: { markdown: "## Is it working <script>now</script>" } },
  lineWidget("Heartbeats · good: some", place(0, 1, 12, 6)),
  lineWidget("Counts", place(12, 1, 12, 6), { stacked: true, legend: { position: "right" } }),
  lineWidget("Number", place(0, 7, 6, 3), { view: "singleValue" }),
  lineWidget("Gauge", place(6, 7, 6, 3), { view: "gauge" }),
  lineWidget("Bar", place(12, 7, 6, 3), { view: "bar" }),
  lineWidget("Pie", place(18, 7, 6, 3), { view: "pie" }),
  { type: "alarm", ...place(0, 10, 24, 3), properties: { title: "Alarms", alarms: ["FailureRate", "Page"] } },
  { type: "log", ...place(0, 13, 12, 5), properties: { title: "Failures", query: "SOURCE 'g' | fields x" } },
  lineWidget("Nothing", place(12, 13, 6, 5), { metrics: [["StudioRunner", "RunsLost", { id: "none" }]] }),
  { type: "explorer", ...place(18, 13, 6, 5), properties: { title: "Explorer" } },
];

/** A stack with data for every kind of widget, and an alarm. */
export const everything = () =>
  fakeSource({
    widgets: everyWidget,
    alarms: [alarmNamed("FailureRate", { state: "ALARM", sinceMs: 1_800_000_000_000 }), alarmNamed("Page")],
    series: { m: [{ label: "accepted", points: lately([1, 4, 2]) }] },
    queryLogs: () => ({ columns: ["Why", "Workspace"], rows: [["<i>timeout</i>", "ws_302e3f89-3349"]] }),
  });

export const working: RunnerView = {
  studioUrl: "/",
  now: { cause: "none", sentence: "Working: 1 of at most 4 runs in flight." },
  command: null,
};

export const paused: RunnerView = {
  studioUrl: "/",
  now: {
    cause: "paused",
    sentence: "Paused by kim, 5 min ago: the budget is spent.",
    remedy: { text: "To lease jobs again:", command: "resume" },
  },
  command: "npm run runner -- resume --local",
};

/** GET /api/runner, which the pages about runs bring along. */
export const runnerRoute = (find: () => RunnerView = () => working): TableRoute<unknown> => ({
  method: "GET",
  path: "/api/runner",
  handle: () => json(200, find()),
});
