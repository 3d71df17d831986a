import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { connectKeys, type FakeSecrets, type FakeWeb } from "../../support/cli-keys.ts";
import { fakeCli, type CliAnswer, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

export const now = Date.parse("2026-11-20T03:00:00Z");
/** Ids of runs, oldest first. */
export const runIds = [
  "01JCZ9V5W3X8K2M4N6P8Q0R2S4",
  "01JCZ9V5W3X8K2M4N6P8Q0R2S5",
  "01JCZ9V5W3X8K2M4N6P8Q0R2S6",
] as const;
export const runId = runIds[0];

export let local: LocalTable;
export let cli: FakeCli;
export let secrets: FakeSecrets;
export let web: FakeWeb;
/** Each test has a pool of its own in the one table. */
export let pool: string;

let counter = 0;

/** Gives each test a command line for a stack of one pool, with these fields. */
export function setUpCli(fields: object = {}): void {
  beforeAll(async () => void (local = await startLocalTable()));
  afterAll(() => local.close());
  beforeEach(() => renewCli(fields));
}

export function renewCli(fields: object = {}): void {
  pool = `p${counter++}`;
  cli = fakeCli(local.table, now);
  ({ secrets, web } = connectKeys(cli));
  settle({ pools: [{ name: pool, kind: "user", ...fields }] });
}

/** These settings are the project's, and deployed. */
export function settle(settings: object): void {
  cli.projectSettings = cli.aws.settings = { pools: [{ name: pool, kind: "user" }], ...settings };
}

/** A second pool beside the first; gives its name. */
export function addPool(first: object = {}, second: object = {}): string {
  const other = `${pool}-b`;
  settle({
    pools: [
      { name: pool, kind: "user", ...first },
      { name: other, kind: "global", ...second },
    ],
  });
  return other;
}

/** A dispatch cycle that has ended. */
export async function addCycle(reason: string, atMs = cli.nowMs, goodPollAtMs?: number): Promise<void> {
  const { lock } = cli.runStore;
  await lock.acquire({ pool, owner: "w", nowMs: atMs, untilMs: atMs + 60_000 });
  const lastCycle = { reason, atMs, polls: 3, leased: 0, inFlight: 0 };
  await lock.release(
    { pool, owner: "w" },
    { lastCycle, ...(goodPollAtMs === undefined ? {} : { goodPollAtMs }) },
  );
}

/** Runs a command, and expects its exit code and these texts in its output; a command in one text has no words with spaces. */
export async function expectRun(
  command: string | readonly string[],
  code: number,
  ...texts: readonly (string | RegExp)[]
): Promise<CliAnswer> {
  const answer = await cli.run(...(typeof command === "string" ? command.split(" ") : command));
  for (const text of texts) expect(answer.out + answer.err).toMatch(text);
  expect(answer.code).toBe(code);
  return answer;
}
