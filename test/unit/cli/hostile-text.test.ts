import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { renderChecks } from "../../../cli/doctor/render.ts";
import { createTerminal } from "../../../cli/terminal.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { control, hostileTexts, withoutOurColours } from "../../support/hostile-text.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");
const runId = "01JCZ9V5W3X8K2M4N6P8Q0R2S4";

let local: LocalTable;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
let cli: FakeCli;
beforeEach(renew);

function renew(): void {
  pool = `hostile${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
}

async function output(...argv: string[]): Promise<string> {
  const { out, err } = await cli.run(...argv);
  return out + err;
}

const failedRun = (text: string) =>
  cli.addRun({
    pool,
    runId,
    workspaceId: `ws ${text}`,
    leasedAtMs: now - 60_000,
    progress: { rounds: 1, model: `gpt ${text}` },
    ending: { state: "failed", reason: `model ${text}`, explanation: `It said ${text}`, atMs: now - 50_000 },
  });

const logged = (...lines: readonly string[]): void => {
  cli.aws.logs[`${pool}-processor`] = lines.map((text, at) => ({ id: String(at), atMs: now - 55_000, text }));
};

const logLine = (text: string): string =>
  JSON.stringify({
    level: "WARN",
    message: "heartbeat_failed",
    workspaceId: `ws ${text}`,
    runId,
    explanation: `why ${text}`,
  });

/** Each with the text wherever it can come from outside. */
const renderers: Readonly<Record<string, (text: string) => Promise<string>>> = {
  jobs: async (text) => {
    await failedRun(text);
    return output("jobs");
  },
  explain: async (text) => {
    await failedRun(text);
    logged(logLine(text));
    return output("explain", runId);
  },
  logs: async (text) => {
    logged(logLine(text), `crash ${text}`);
    return output("logs");
  },
  "status, with alarms and who paused": async (text) => {
    await cli.runStore.control.write(pool, { paused: true, by: `by ${text}`, why: `why ${text}`, atMs: now });
    const reason = `because ${text}`;
    cli.aws.alarms = [{ name: `${pool}-NoGoodPoll`, state: "ALARM", reason, sinceMs: now }];
    const { lock } = cli.runStore;
    await lock.acquire({ pool, owner: "w", nowMs: now - 60_000, untilMs: now });
    const lastCycle = { reason: `reason ${text}`, atMs: now - 20_000, polls: 3, leased: 0, inFlight: 0 };
    await lock.release({ pool, owner: "w" }, { lastCycle, goodPollAtMs: now });
    cli.aws.broken.schedules = new Error(`schedules ${text}`);
    return output("status");
  },
  "pause, of a pool that is paused": async (text) => {
    await cli.runStore.control.write(pool, { paused: true, by: `by ${text}`, why: `why ${text}`, atMs: now });
    return output("pause");
  },
  "redrive, with letters and lost runs": async (text) => {
    await cli.addRun({
      pool,
      runId,
      workspaceId: `ws ${text}`,
      leasedAtMs: now - 60_000,
      ending: { state: "lost", reason: `reason ${text}`, atMs: now - 50_000 },
    });
    const queues = {
      depth: async () => 1,
      borrow: async () => [{ id: "m-1", body: "no record", receipt: "r", sentAtMs: now }],
      giveBack: async () => undefined,
      remove: async () => undefined,
    };
    Object.assign(cli.aws.services, { queues });
    return output("redrive", "--dry-run");
  },
  "an error of AWS": async (text) => {
    cli.aws.broken.stacks = Object.assign(new Error(`stacks ${text}`), { name: "AccessDenied" });
    return output("status");
  },
  "an error that nobody knows": async (text) => {
    cli.aws.broken.stacks = Object.assign(new Error(`stacks ${text}`), { name: "Strange" });
    return output("status");
  },
};

const linesOf = (text: string): number => text.split("\n").length;

describe.each([false, true])("text from outside at the terminal, with colours: %s", (colour) => {
  it.each(Object.keys(renderers))("can neither steer it nor make a line of its own: %s", async (name) => {
    const render = renderers[name]!;
    cli.colour = colour;
    const harmless = await render("x");
    for (const text of hostileTexts) {
      renew();
      cli.colour = colour;
      const shown = await render(text);
      expect(withoutOurColours(shown)).not.toMatch(control);
      expect(linesOf(shown)).toBe(linesOf(harmless));
      expect(shown).not.toContain("\u001B[31mred");
    }
  });
});

it("a command that forgets about it is kept from it by the terminal itself", () => {
  let written = "";
  const stream = { write: (text: string) => void (written += text), isTTY: true, columns: 1_000 };
  const terminal = createTerminal({ stdout: stream, stderr: stream, env: { FORCE_COLOR: "1" } });
  for (const text of hostileTexts) {
    terminal.out(`a ${terminal.colours.green("fine")} ${text}`);
    terminal.err(`${terminal.colours.bold("b")} ${text}`);
  }
  expect(written).toContain("a \u001B[32mfine\u001B[39m \\u001b[2J\\u001b[1;1Hclear the screen\n");
  expect(withoutOurColours(written)).not.toMatch(control);
});

it("progress is one line, cut between two characters", () => {
  let written = "";
  const stream = { write: (text: string) => void (written += text), isTTY: true, columns: 10 };
  const terminal = createTerminal({ stdout: stream, stderr: stream, env: {} });
  terminal.progress("a\nb\u001B[2J");
  terminal.progress("12345678😀");
  expect(written).toBe("\r\u001B[2Ka b\\u001b\r\u001B[2K12345678");
});

it("a check's finding keeps its lines, each under the first", () => {
  const finding = "one\nError: two\u001B[2J";
  const results = [{ id: "a", title: "T\u202E", verdict: "fail" as const, finding, remedy: "do\r" }];
  const screen = createTerminal({ stdout: { write: () => 0 }, stderr: { write: () => 0 }, env: {} });
  expect(renderChecks(results, screen).split("\n").slice(0, 3)).toEqual([
    "✗ T\\u202e  one",
    "           Error: two\\u001b[2J",
    "           → do ",
  ]);
});

it("--json gives the same data, without a raw control character", async () => {
  const text = hostileTexts.join("|").toWellFormed();
  await failedRun(text);
  const { out } = await cli.run("jobs", "--json");
  expect(out).not.toMatch(control);
  expect(JSON.parse(out)).toMatchObject({ jobs: [{ explanation: `It said ${text}` }] });
});
