import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AssistantMessage } from "../../local/studio/page-api.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const completing = [
  "bad-json",
  "unknown-tool",
  "path-traversal",
  "svg-script",
  "negative-stacked",
  "dangling",
  "long-message",
] as const;

/** Failures: the code in the run store, and the text for the user. */
const failing = [
  [
    "dangling-forever",
    "deliverable_placeholder_mismatch",
    'The message names deliverables that were not made: "{{artifact:chart:quarterly-outlook}}".',
  ],
  [
    "endless",
    "tool_rounds_exceeded",
    "The model was still calling tools after 24 rounds, so the job was stopped.",
  ],
  ["refuse", "model_refused", "The model declined: I can't help with that request."],
  ["incomplete", "model_incomplete", "The model stopped at its output limit, before its answer was whole."],
  ["content-filter", "model_content_filtered", "The provider's content filter stopped the model's answer."],
  ["empty", "model_empty", "The model answered with neither text nor a tool call."],
] as const;

let scenario: Scenario;
const workspaceIds = new Map<string, string>();

beforeAll(async () => {
  scenario = await startScenario({ turnMs: 10 });
  for (const word of [...completing, ...failing.map(([name]) => name)])
    workspaceIds.set(word, scenario.queue(`Plan the launch of a new product. [[${word}]]`));
  await scenario.drain();
});
afterAll(() => scenario.close());

const workspaceOf = (word: string): string => workspaceIds.get(word)!;

/** The assistant message as Studio stored it. */
async function answerTo(word: (typeof completing)[number]): Promise<AssistantMessage> {
  const { state, failure, messages } = await scenario.detail(workspaceOf(word));
  expect({ state, failure }).toEqual({ state: "completed", failure: null });
  const answer = messages.at(-1);
  if (answer?.role !== "assistant") throw new Error(`${word}: the last message is no answer`);
  return answer;
}

/** The answer's deliverables, as placeholders name them. Each answer also has its scenario's plan. */
function madeIn({ deliverables }: AssistantMessage): readonly string[] {
  const { charts, datasets, files, lists, checklists, svgs } = deliverables;
  return [
    ...charts.map(({ id }) => `chart:${id}`),
    ...datasets.map(({ id }) => `table:${id}`),
    ...files.map(({ name }) => `file:${name}`),
    ...lists.map(({ id }) => `list:${id}`),
    ...checklists.map(({ id }) => `checklist:${id}`),
    ...svgs.map(({ id }) => `svg:${id}`),
  ].toSorted();
}

const plan = [
  "chart:most",
  "checklist:next-steps",
  "file:your-message.md",
  "list:without-a-key",
  "table:kinds",
];

const placeholdersIn = ({ text }: AssistantMessage): readonly string[] =>
  [...text.matchAll(/\{\{artifact:([^}]+)\}\}/g)].map(([, what = ""]) => what).toSorted();

describe("the model corrects a wrong tool call, and the result is stored completely", () => {
  test("arguments that are not JSON", async () => {
    const answer = await answerTo("bad-json");
    expect(madeIn(answer)).toEqual([...plan, "list:quick-wins"].toSorted());
    expect(answer.deliverables.lists.find(({ id }) => id === "quick-wins")).toMatchObject({
      title: "Quick wins",
      items: ["Fix the sign-up form", "Answer within a day"],
    });
  });

  test("a tool that does not exist", async () => {
    const answer = await answerTo("unknown-tool");
    expect(madeIn(answer)).toEqual([...plan, "list:views"].toSorted());
    expect(answer.deliverables.lists.find(({ id }) => id === "views")).toMatchObject({
      items: ["Overview", "Detail", "Comparison"],
    });
  });

  test("a file name that leaves its folder", async () => {
    const answer = await answerTo("path-traversal");
    expect(madeIn(answer)).toEqual([...plan, "file:notes/field-notes.md"].toSorted());
    expect(answer.deliverables.files).toContainEqual({
      name: "notes/field-notes.md",
      content: "# Field notes\n\nKept inside.\n",
    });
  });

  test("a script and an event handler in an SVG", async () => {
    const answer = await answerTo("svg-script");
    expect(madeIn(answer)).toEqual([...plan, "svg:trend"].toSorted());
    expect(answer.deliverables.svgs[0]?.content).toBe(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 80" role="img"><polyline points="8,64 56,48 104,54 152,28 200,34 232,12" fill="none" stroke="#2563eb" stroke-width="4" stroke-linecap="round"/></svg>',
    );
  });

  test("negative values in a stacked chart", async () => {
    const answer = await answerTo("negative-stacked");
    expect(madeIn(answer)).toEqual([...plan, "chart:cash-flow"].toSorted());
    expect(answer.deliverables.charts.find(({ id }) => id === "cash-flow")).toMatchObject({
      kind: "stacked_bar",
      series: [
        { name: "In", values: [42, 48, 61, 75] },
        { name: "Out", values: [38, 35, 44, 51] },
      ],
    });
  });
});

describe("the model corrects a message that could not be delivered", () => {
  test("one that names a chart that does not exist", async () => {
    const answer = await answerTo("dangling");
    expect(madeIn(answer)).toEqual(plan);
    expect(placeholdersIn(answer)).toEqual(plan);
    expect(answer.text).not.toContain("quarterly-outlook");
  });

  test("one of more than 24,000 characters", async () => {
    const answer = await answerTo("long-message");
    expect(madeIn(answer)).toEqual(plan);
    expect(answer.text.length).toBeLessThan(2_000);
  });
});

describe("a mistake that cannot be corrected fails the job with a reason that names the cause", () => {
  test.each(failing)("[[%s]]", async (word, reason, explanation) => {
    const workspaceId = workspaceOf(word);
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "failed", failure: explanation });
    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "failed", reason, explanation });
    const run = (await scenario.runs()).find((one) => one.workspaceId === workspaceId);
    expect(run).toMatchObject({ state: "failed", reason, explanation });
  });
});

test("every job was leased once, and every outcome is counted once", async () => {
  expect(scenario.metric("JobsLeased")).toBe(13);
  expect(scenario.metric("RunsCompleted")).toBe(7);
  expect(scenario.metric("RunsFailed")).toBe(6);
  expect(await scenario.runs()).toHaveLength(13);
});
