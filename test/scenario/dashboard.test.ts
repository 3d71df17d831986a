import { expect, test } from "vitest";
import type { DashboardView, WidgetContent } from "../../local/dashboard/view.ts";
import { startScenario } from "../support/stack.ts";

const contentOf = (view: DashboardView, title: string): WidgetContent | undefined =>
  view.widgets.find((widget) => widget.title.startsWith(title))?.content;

test("every widget of the deployed dashboard is drawn from a local run", async ({ onTestFinished }) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.queue("Plan a launch. [[rounds:1]]");
  scenario.queue("Plan a launch.\n\n[[refuse]]");
  await scenario.drain();

  const response = await fetch(`${scenario.studio.url}/api/dashboard?minutes=15`);
  const view: DashboardView = JSON.parse(await response.text());

  expect(view.dashboards).toEqual([{ name: expect.any(String), title: "Pool local" }]);
  expect(view.widgets.filter(({ content }) => content.kind === "problem")).toEqual([]);
  expect(view.alarms.map(({ title }) => title)).toContain("NoGoodPoll");
  expect(contentOf(view, "Alarms")).toMatchObject({ kind: "alarms" });
  expect(contentOf(view, "In the time shown")).toMatchObject({
    kind: "numbers",
    values: expect.arrayContaining([
      expect.objectContaining({ label: "leased", value: 2 }),
      expect.objectContaining({ label: "completed", value: 1 }),
      expect.objectContaining({ label: "failed", value: 1 }),
      expect.objectContaining({ label: "lost", value: null }),
    ]),
  });
  expect(contentOf(view, "Failed by reason")).toMatchObject({
    kind: "chart",
    series: [{ label: "model_refused" }],
  });
  expect(contentOf(view, "Failures by reason")).toMatchObject({
    kind: "table",
    columns: ["State", "Why", "Runs"],
    rows: [["failed", "model_refused", "1"]],
  });
});
