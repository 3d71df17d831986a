import { describe, expect, it } from "vitest";
import { renderChecks } from "../../../cli/doctor/render.ts";
import { createTerminal } from "../../../cli/terminal.ts";
import { control, hostileTexts, withoutOurColours } from "../../support/hostile-text.ts";
import { addCycle, cli, now, pool, renewCli, runId, setUpCli } from "./set-up.ts";

setUpCli();

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

const logLine = (text: string): string => {
  const fields = { workspaceId: `ws ${text}`, runId, explanation: `why ${text}` };
  return JSON.stringify({ level: "WARN", message: "heartbeat_failed", ...fields });
};

const pauseBy = (text: string): Promise<unknown> =>
  cli.runStore.control.write(pool, { paused: true, by: `by ${text}`, why: `why ${text}`, atMs: now });

const breakAws = (text: string, name: string): void => {
  cli.aws.broken.stacks = Object.assign(new Error(`stacks ${text}`), { name });
};

/** Each renders the text in every place that can hold text from outside. */
const renderers: Readonly<Record<string, (text: string) => Promise<string>>> = {
  "jobs and explain": async (text) => {
    await failedRun(text);
    logged(logLine(text));
    return (await output("jobs")) + (await output("explain", runId));
  },
  logs: async (text) => {
    logged(logLine(text), `crash ${text}`);
    return output("logs");
  },
  "status, with alarms and a paused pool": async (text) => {
    await pauseBy(text);
    const reason = `because ${text}`;
    cli.aws.alarms = [{ name: `${pool}-NoGoodPoll`, state: "ALARM", reason, sinceMs: now }];
    await addCycle(`reason ${text}`, now - 20_000, now);
    cli.aws.broken.schedules = new Error(`schedules ${text}`);
    return output("status");
  },
  "pause of a paused pool": async (text) => {
    await pauseBy(text);
    return output("pause");
  },
  "redrive, with dead letters and lost runs": async (text) => {
    const ending = { state: "lost", reason: `reason ${text}`, atMs: now - 50_000 } as const;
    await cli.addRun({ pool, runId, workspaceId: `ws ${text}`, leasedAtMs: now - 60_000, ending });
    const borrow = async () => [{ id: "m-1", body: "no record", receipt: "r", sentAtMs: now }];
    Object.assign(cli.aws.services, { queues: { borrow, giveBack: async () => undefined } });
    return output("redrive", "--dry-run");
  },
  "an error of AWS": async (text) => {
    breakAws(text, "AccessDenied");
    return output("status");
  },
  "an unknown error": async (text) => {
    breakAws(text, "Strange");
    return output("status");
  },
};

const linesOf = (text: string): number => text.split("\n").length;

describe.each([false, true])("text from outside in a command's output, with colours: %s", (colour) => {
  it.each(Object.keys(renderers))("can neither control the terminal nor add a line: %s", async (name) => {
    const render = renderers[name]!;
    cli.colour = colour;
    const harmless = await render("x");
    for (const text of hostileTexts) {
      renewCli();
      cli.colour = colour;
      const shown = await render(text);
      expect(withoutOurColours(shown)).not.toMatch(control);
      expect(linesOf(shown)).toBe(linesOf(harmless));
      expect(shown).not.toContain("\u001B[31mred");
    }
  });
});

function terminalOf(columns: number, env: Record<string, string> = {}) {
  const shown = { text: "" };
  const stream = { write: (text: string) => void (shown.text += text), isTTY: true, columns };
  return { shown, terminal: createTerminal({ stdout: stream, stderr: stream, env }) };
}

it("the terminal escapes control characters in everything that is printed", () => {
  const { shown, terminal } = terminalOf(1_000, { FORCE_COLOR: "1" });
  for (const text of hostileTexts) {
    terminal.out(`a ${terminal.colours.green("fine")} ${text}`);
    terminal.err(`${terminal.colours.bold("b")} ${text}`);
  }
  expect(shown.text).toContain("a \u001B[32mfine\u001B[39m \\u001b[2J\\u001b[1;1Hclear the screen\n");
  // Tabs divide the cells of a piped table; renderers escape those of foreign text.
  expect(withoutOurColours(shown.text).replaceAll("\t", "")).not.toMatch(control);
});

it("progress is printed as one line, cut between two characters", () => {
  const { shown, terminal } = terminalOf(10);
  terminal.progress("a\nb\u001B[2J");
  terminal.progress("12345678😀");
  expect(shown.text).toBe("\r\u001B[2Ka b\\u001b\r\u001B[2K12345678");
});

it("a check's finding of several lines is indented under its first line", () => {
  const finding = "one\nError: two\u001B[2J";
  const results = [{ id: "a", title: "T\u202E", outcome: "fail" as const, finding, remedy: "do\r" }];
  const { terminal } = terminalOf(1_000, { NO_COLOR: "1" });
  const lines = renderChecks(results, terminal).split("\n").slice(0, 3);
  expect(lines).toEqual(["✗ T\\u202e  one", "           Error: two\\u001b[2J", "           → do "]);
});

it("--json keeps the text, with control characters escaped", async () => {
  const text = hostileTexts.join("|").toWellFormed();
  await failedRun(text);
  const { out } = await cli.run("jobs", "--json");
  expect(out).not.toMatch(control);
  expect(JSON.parse(out)).toMatchObject({ jobs: [{ explanation: `It said ${text}` }] });
});
