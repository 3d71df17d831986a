import * as z from "zod";
import type { Run } from "../../lib/runs/run.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { bodyForPeople, readDeadLetter, type DeadLetter } from "../dead-letters.ts";
import { CliError } from "../errors.ts";
import { count, formatAge, isoTime } from "../format.ts";
import type { StackPool } from "../stack.ts";
import { pipedLine, renderTable } from "../table.ts";
import { isPiped, type Screen } from "../terminal.ts";
import { duration } from "../values.ts";
import { findRuns } from "./jobs.ts";

const dayMs = 86_400_000;

export const redrive: Command = defineCommand({
  name: "redrive",
  summary: "Processes dead letters again, and lists lost runs",
  details:
    "Sends a dead letter to recovery again if its lease is live. Deletes it if its run has ended or moved on, or its lease has expired " +
    "(the job is back in Studio's queue). Keeps unreadable ones until --drop. Lost runs are listed for information. " +
    "Exits with 1 if dead letters are left.",
  options: [
    { flags: "--dry-run", meaning: "show what would be done, and change nothing" },
    { flags: "--show", meaning: "print unreadable ones, without secrets, and change nothing" },
    { flags: "--drop", meaning: "also delete unreadable ones" },
    { flags: "--yes", meaning: "do not ask for confirmation" },
    { flags: "--since <time>", meaning: "list runs lost within this time; default: 1d" },
  ],
  examples: [
    { line: "redrive --dry-run", shows: "the dead letters, and what would be done with each" },
    { line: "redrive --yes", shows: "for a script" },
    { line: "redrive --drop", shows: "asks, and deletes unreadable ones" },
  ],
  input: z.object({
    dryRun: z.boolean().default(false),
    show: z.boolean().default(false),
    drop: z.boolean().default(false),
    yes: z.boolean().default(false),
    since: duration().default(dayMs),
  }),
  run: async (context, { dryRun: isDry, show, drop, yes, since }) => {
    if (show && (drop || yes))
      throw new CliError("usage", "--show changes nothing: give it without --drop and --yes.");
    const dryRun = isDry || show;
    const pools = await context.pools();
    const lost = (await Promise.all(pools.map((pool) => findLost(context, pool, since)))).flat();
    const borrowed = (await borrow(context, pools)).map((letter) => (drop ? dropped(letter) : letter));
    const done = await recoverAll(context, borrowed, { dryRun, yes });
    const data = { dryRun, deadLetters: done.map((one) => toData(one, show)), lostRuns: lost.map(toLost) };
    const left = done.some(({ state }) => state !== "done");
    return {
      data,
      text: (screen) => render({ done, lost, show, nowMs: context.clock.now() }, screen),
      exit: left ? "finding" : "ok",
    };
  },
});

interface Borrowed extends DeadLetter {
  readonly pool: StackPool;
}

const dropped = (letter: Borrowed): Borrowed =>
  letter.action === "keep"
    ? { ...letter, action: "drop", why: "it is not a record of a failed attempt" }
    : letter;

interface Done extends Borrowed {
  readonly state: "done" | "left";
}

async function borrow(context: Context, pools: readonly StackPool[]): Promise<readonly Borrowed[]> {
  const { queues } = await context.aws();
  const found = await Promise.all(
    pools.map(async (pool) => {
      const messages = await queues.borrow(pool.output("DeadLetters"), context.signal);
      return Promise.all(
        messages.map(async (message) => ({ pool, ...(await readDeadLetter(context, pool, message)) })),
      );
    }),
  );
  return found.flat();
}

interface Wish {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Carries out each letter's action if the user agrees. Returns the other letters to the queue. */
async function recoverAll(
  context: Context,
  letters: readonly Borrowed[],
  wish: Wish,
): Promise<readonly Done[]> {
  const open = new Set(letters);
  try {
    if (!(await isAgreed(context, letters, wish)))
      return letters.map((letter) => ({ ...letter, state: "left" }));
    const done: Done[] = [];
    for (const letter of letters) {
      if (letter.action !== "keep") {
        await recover(context, letter);
        open.delete(letter);
      }
      done.push({ ...letter, state: letter.action === "keep" ? "left" : "done" });
      context.terminal.progress(`${done.length} of ${count(letters.length, "dead letter")}`);
    }
    return done;
  } finally {
    const { queues } = await context.aws();
    for (const { pool, message } of open) await queues.giveBack(pool.output("DeadLetters"), message.receipt);
  }
}

async function isAgreed(
  { input, prompts }: Context,
  letters: readonly Borrowed[],
  { dryRun, yes }: Wish,
): Promise<boolean> {
  const doable = letters.filter(({ action }) => action !== "keep");
  if (dryRun || doable.length === 0) return false;
  if (yes) return true;
  if (!input.isTerminal) {
    throw new CliError(
      "usage",
      `${count(letters.length, "dead letter")} wait, but standard input is not a terminal, so nothing can be asked.`,
      {
        remedy: "Give --yes to recover them, or --dry-run to see what would be done.",
      },
    );
  }
  const of = (wanted: DeadLetter["action"]): number =>
    doable.filter(({ action }) => action === wanted).length;
  const [sends, deletes, drops] = [of("send"), of("delete"), of("drop")];
  const question = `Send ${sends} to recovery again, and delete ${deletes} that need no recovery?`;
  if (sends + deletes > 0 && !(await prompts.confirm(question, true))) return false;
  // Dropping is irreversible, so it needs a confirmation of its own, which covers all dropped letters.
  return (
    drops === 0 || prompts.confirm(`Permanently delete ${count(drops, "unreadable dead letter")}?`, false)
  );
}

async function recover(context: Context, { pool, action, event, message }: Borrowed): Promise<void> {
  const { queues, functions } = await context.aws();
  // Sends the event before deleting the message, because a repeated recovery is harmless and a missing one is
  // not.
  if (action === "send") await functions.send(pool.output("Recovery"), event);
  await queues.remove(pool.output("DeadLetters"), message.receipt);
}

/** Lost runs, and open runs whose lease has expired, which the reaper finishes in the next cycle. */
async function findLost(context: Context, pool: StackPool, sinceMs: number): Promise<readonly Run[]> {
  const { runs } = await context.runStore();
  const nowMs = context.clock.now();
  const [lost, open] = await Promise.all([
    findRuns(context, pool.name, { limit: 100, state: "lost", since: sinceMs }),
    runs.openRuns(pool.name),
  ]);
  return [...open.filter(({ leaseExpiresAtMs }) => leaseExpiresAtMs <= nowMs), ...lost];
}

const toData = ({ pool, message, runId, workspaceId, attempt, action, why, state }: Done, show: boolean) => ({
  pool: pool.name,
  messageId: message.id,
  sentAtMs: message.sentAtMs ?? null,
  runId: runId ?? null,
  workspaceId: workspaceId ?? null,
  attempt: attempt ?? null,
  action,
  why,
  ...(show && action === "keep" ? { body: bodyForPeople(message.body) } : {}),
  done: state === "done",
});

const lostWords = (run: Run): string =>
  run.state === "lost"
    ? `lost (${run.reason ?? ""}): Studio leases the job again; nothing to do`
    : "its lease has expired: the next cycle finishes it as lost, and Studio leases the job again";

const toLost = (run: Run) => ({
  pool: run.pool,
  runId: run.runId,
  workspaceId: run.workspaceId,
  state: run.state,
  reason: run.reason ?? null,
  endedAtMs: run.endedAtMs ?? null,
  what: lostWords(run),
});

interface View {
  readonly show: boolean;
  readonly done: readonly Done[];
  readonly lost: readonly Run[];
  readonly nowMs: number;
}

const actionWords = {
  delete: { done: "deleted", left: "would be deleted" },
  send: { done: "sent to recovery", left: "would be sent to recovery" },
  drop: { done: "dropped", left: "would be dropped" },
  keep: { done: "kept", left: "kept" },
} as const;

/** One line per dead letter, then one per lost run. */
function pipedText(done: readonly Done[], lost: readonly Run[], nowMs: number): string {
  const letters = done.map(({ message, pool, workspaceId, runId, action, state, why }) => [
    "dead letter",
    isoTime(message.sentAtMs ?? nowMs),
    pool.name,
    workspaceId ?? "",
    runId ?? message.id,
    actionWords[action][state],
    why,
  ]);
  const runs = lost.map((run) => [
    "lost run",
    isoTime(run.endedAtMs ?? run.leaseExpiresAtMs),
    run.pool,
    run.workspaceId,
    run.runId,
    run.state,
    lostWords(run),
  ]);
  return [...letters, ...runs].map(pipedLine).join("\n");
}

function render({ done, lost, show, nowMs }: View, screen: Screen): string {
  if (isPiped(screen)) return pipedText(done, lost, nowMs);
  const letters = done.map(({ message, workspaceId, runId, action, state, why }) => [
    message.sentAtMs === undefined ? "" : formatAge(nowMs - message.sentAtMs),
    workspaceId ?? runId ?? message.id,
    actionWords[action][state],
    why,
  ]);
  const runs = lost.map((run) => [
    formatAge(nowMs - (run.endedAtMs ?? run.leaseExpiresAtMs)),
    run.workspaceId,
    lostWords(run),
  ]);
  const columns = [{ title: "age" }, { title: "job", shrinks: true }] as const;
  const last = { title: "why", shrinks: true } as const;
  const bodies = done
    .filter(({ action }) => show && action === "keep")
    .map(({ message }) => `${message.id}:\n${bodyForPeople(message.body)}`);
  const blocks = [
    letters.length === 0
      ? "No dead letters."
      : renderTable([...columns, { title: "dead letter" }, last], letters, screen),
    ...bodies,
    runs.length === 0
      ? "No lost runs."
      : `Lost runs:\n${renderTable([...columns, { title: "what", shrinks: true }], runs, screen)}`,
  ];
  return blocks.join("\n\n");
}
