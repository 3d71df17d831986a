import { beforeEach, describe, expect, it } from "vitest";
import { commands } from "../../../cli/commands.ts";
import { addCycle, addPool, cli, now, pool, setUpCli } from "./set-up.ts";

setUpCli();

const [first, second] = ["01JD3K8G00AAAAAAAAAAAAAAAA", "01JD3K8G22BBBBBBBBBBBBBBBB"];
const refused = {
  reason: "model_refused",
  explanation: `The model declined: ${"a long reason, ".repeat(9)}`,
};

beforeEach(async () => {
  const title = "Quarterly sales by region, with a comparison of the years and a forecast";
  const ending = { state: "failed", ...refused, atMs: now - 60_000 } as const;
  const failed = {
    runId: first,
    workspaceId: "ws_0123456789abcdef0123456789abcdef",
    leasedAtMs: now - 120_000,
  };
  await cli.addRun({ pool, ...failed, progress: { title }, ending });
  await cli.addRun({
    pool,
    runId: second,
    workspaceId: "ws_9876543210abcdef0123456789abcdef",
    leasedAtMs: now - 5_000,
  });
  await addCycle("model_unavailable");
  const line = { level: "WARN", message: "run_ended", pool, runId: first, workspaceId: failed.workspaceId };
  const text = JSON.stringify({ ...line, state: "failed", ...refused, elapsedMs: 5_000 });
  cli.aws.logs = { [`${pool}-processor`]: [{ id: "1", atMs: now - 60_000, text }] };
  cli.aws.deadLetters = 2;
  const queues = {
    borrow: async () => [],
    depth: async () => 2,
    giveBack: async () => undefined,
    remove: async () => undefined,
  };
  cli.aws.services = { queues };
});

/** A command line, and its exit code. */
const lines: readonly (readonly [string, number])[] = [
  ["", 0],
  ["--version", 0],
  ["statsu", 2],
  ["init --polling", 2],
  ["status", 1],
  ["jobs", 0],
  ["jobs --state lost", 0],
  ["jobs --limit x", 2],
  ["explain 01JD3K8G00", 0],
  ["explain ws_0", 0],
  ["explain 01jd", 2],
  ["explain ws_unknown", 3],
  ["logs", 0],
  ["logs --job 01JD3K8G00", 0],
  ["logs --job 01jd", 2],
  ["logs --job ws_unknown --since 5s", 3],
  ["cancel 01JD3K8G22", 0],
  ["cancel 01jd", 2],
  ["cancel ws_unknown", 3],
  ["pause", 0],
  ["resume", 0],
  ["drain --timeout 5s", 1],
  ["set-concurrency 5", 0],
  ["set-concurrency x", 2],
  ["set-cap 0", 2],
  ["clear-backoff", 0],
  ["secrets set model-key", 2],
  ["secrets set model-key VALUE", 2],
  ["rotate", 1],
  ["redrive --dry-run", 0],
  ["config", 0],
  ["cost", 0],
  ["check-update", 0],
  ["doctor", 1],
  ["deploy", 2],
  ["destroy", 1],
  ["completion tcsh", 2],
  ["status --pool none", 3],
];

const argvOf = (line: string): readonly string[] => (line === "" ? [] : line.split(" "));
const escape = "\u001B";

it("every command is among the lines", () => {
  const tried = lines.map(([line]) => line);
  const missing = commands.filter(
    ({ name }) => !tried.some((line) => line.startsWith(name.split(" ")[0] ?? "")),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

describe.each([60, 80])("at %i columns", (columns) => {
  it.each(lines)(
    "the output of '%s' fits, but for ids, paths and commands, and it exits with %i",
    async (line, code) => {
      cli.columns = columns;
      const answer = await cli.run(...argvOf(line));
      const wide = `${answer.out}\n${answer.err}`.split("\n").filter((one) => one.length > columns);
      expect(wide.filter((one) => !/^\s*\S+$|npm run runner --|\S{40}/.test(one))).toEqual([]);
      expect(answer.out + answer.err).not.toContain(escape);
      expect(answer.code).toBe(code);
    },
  );
});

it.each(lines)("NO_COLOR keeps colours out of the output of '%s'", async (line) => {
  cli.colour = true;
  cli.env = { NO_COLOR: "1" };
  const { out, err } = await cli.run(...argvOf(line));
  expect(out + err).not.toContain(escape);
});

it.each(lines)(
  "into a pipe, '%s' prints no colours, no wrapped lines, and exits as on a terminal (%i)",
  async (line, code) => {
    cli.columns = undefined;
    const { out, err, code: got } = await cli.run(...argvOf(line));
    expect(got).toBe(code);
    expect(out + err).not.toContain(escape);
  },
);

it.each(["status", "jobs", "logs", "explain 01JD3K8G00"])(
  "into a pipe, '%s' prints cells separated by tabs",
  async (line) => {
    cli.columns = undefined;
    const { out } = await cli.run(...argvOf(line));
    const cells = out
      .trimEnd()
      .split("\n")
      .map((one) => one.split("\t").length);
    expect(Math.min(...cells)).toBeGreaterThan(2);
  },
);

it("an error about one of several pools names them", async () => {
  const other = addPool();
  const { err } = await cli.run("pause");
  expect(err).toBe(`Error: The stack has 2 pools: ${pool}, ${other}.\nName one with --pool.\n`);
});
