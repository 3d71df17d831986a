import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/errors.ts";
import { checkPayload, countDeliverables, toPayload } from "../../../lib/deliverables/payload.ts";
import { emptyWorkbench } from "../../../lib/deliverables/workbench.ts";
import { drawing, fullWorkbench } from "./samples.ts";

function thrown(run: () => unknown): RunnerError {
  try {
    run();
  } catch (error) {
    if (error instanceof RunnerError) return error;
  }
  throw new Error("no RunnerError was thrown");
}

describe("toPayload", () => {
  test("carries the trimmed message and every deliverable", () => {
    const workbench = fullWorkbench();
    expect(toPayload(workbench, "\n Done: {{artifact:list:steps}} \n")).toEqual({
      assistantMessage: "Done: {{artifact:list:steps}}",
      ...workbench,
    });
  });

  test("takes deliverables without a message", () => {
    expect(toPayload(fullWorkbench(), " ").assistantMessage).toBe("");
  });

  test("takes a message of 24,000 characters and refuses one more", () => {
    expect(toPayload(emptyWorkbench, "x".repeat(24_000)).assistantMessage).toHaveLength(24_000);
    const error = thrown(() => toPayload(emptyWorkbench, "x".repeat(24_001)));
    expect(error.code).toBe("assistant_message_too_long");
    expect(error.message).toBe("the model's message has 24001 characters, Studio takes at most 24000");
  });

  test("refuses nothing at all", () => {
    expect(thrown(() => toPayload(emptyWorkbench, " \n")).code).toBe("model_empty");
  });

  test("refuses dangling placeholders and names them", () => {
    const error = thrown(() =>
      toPayload(fullWorkbench(), "{{artifact:chart:kpi}} {{artifact:chart:gone}} {{artifact:graph:g}}"),
    );
    expect(error.code).toBe("deliverable_placeholder_mismatch");
    expect(error.message).toBe(
      'the message names deliverables that were not made: "{{artifact:chart:gone}}", "{{artifact:graph:g}}"',
    );
  });
});

test("counts deliverables per kind", () => {
  expect(countDeliverables(fullWorkbench())).toEqual({
    file: 1,
    chart: 6,
    table: 1,
    list: 1,
    checklist: 1,
    svg: 1,
  });
});

const good = () => ({ workspaceId: "w1", ...toPayload(fullWorkbench(), "Here you are") });

type Wrong = [what: string, change: object, problem: string];

const wrong: Wrong[] = [
  ["no message field", { assistantMessage: undefined }, "assistantMessage: missing, must be text"],
  ["a missing list", { files: undefined }, "files: missing, must be a list"],
  [
    "a long message",
    { assistantMessage: "x".repeat(24_001) },
    "assistantMessage: 24001 characters given, at most 24000",
  ],
  [
    "a dangling placeholder",
    { assistantMessage: "{{artifact:svg:gone}}" },
    'assistantMessage: "{{artifact:svg:gone}}" has no deliverable in this payload',
  ],
  ["an unknown chart", { charts: [{ kind: "radar", id: "a" }] }, "charts[0].kind: "],
  [
    "a table without kind",
    { datasets: [{ id: "a", columns: ["c"], rows: [] }] },
    "datasets[0].kind: missing",
  ],
  [
    "two lists of one id",
    {
      lists: ["a", "A"].map((id) => ({ kind: "list", id, items: ["x"] })),
    },
    'lists[1]: id "A" is taken by another list',
  ],
  ["a traversal", { files: [{ name: "../a.md", content: "x" }] }, "files[0].name: "],
  [
    "an array too long",
    { files: Array.from({ length: 25 }, (_, i) => ({ name: `f${i}.md`, content: "x" })) },
    "files: 25 items given, at most 24",
  ],
  [
    "an svg cut in the middle",
    { svgs: [{ id: "a", content: "<svg><rect/>" }] },
    "svgs[0].content: must be one whole",
  ],
  ["no svg", { svgs: [{ id: "a", content: "hello" }] }, "svgs[0].content: must be one whole"],
  ["an item that is no object", { svgs: ["x"] }, "svgs[0]: "],
];

describe("checkPayload", () => {
  test("finds nothing wrong with what toPayload gives", () => {
    expect(checkPayload(good())).toEqual([]);
  });

  test("tolerates the public runner's blank title, and markup before the svg", () => {
    const svgs = [{ id: "a", title: "", content: `<?xml version="1.0"?>\n${drawing}\n` }];
    expect(checkPayload({ ...good(), svgs })).toEqual([]);
  });

  test.each(wrong)("refuses %s", (_what, change, problem) => {
    const problems = checkPayload({ ...good(), ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test.each([
    "<script>x</script>",
    '<rect onload="x"/>',
    "<text>Conversion = 5</text>",
    "<text>JavaScript:x</text>",
    "<foreignObject/>",
    "<iframe></iframe>",
    "<embed/>",
    "<OBJECT></OBJECT>",
  ])("refuses an svg with %s", (inside) => {
    const svgs = [{ id: "a", content: `<svg>${inside}</svg>` }];
    expect(checkPayload({ ...good(), svgs })).toEqual([
      "svgs[0].content: holds a script, an event handler, javascript: or a forbidden element",
    ]);
  });

  test("refuses nothing at all", () => {
    expect(checkPayload({ assistantMessage: " ", ...emptyWorkbench })).toEqual([
      "neither a message nor a deliverable",
    ]);
  });

  test.each([undefined, null, "x", 3, []])("refuses %j", (payload) => {
    expect(checkPayload(payload)).toHaveLength(1);
  });
});
