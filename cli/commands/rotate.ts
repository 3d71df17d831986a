import * as z from "zod";
import { pollingTimes } from "../../lib/dispatch/polling.ts";
import { createRotationRow } from "../../lib/runs/rotation.ts";
import { mintKeys } from "../../lib/rotation/mint.ts";
import { rotateKeys, type RotateContext, type RotateOutcome } from "../../lib/rotation/on-demand-rotation.ts";
import { nameRefused } from "../../lib/rotation/try-key.ts";
import { parseRunnerSecret, type RunnerSecret } from "../../lib/keys/runner-secret.ts";
import type { RunnerKind } from "../../lib/studio/studio.ts";
import { defineCommand, type Command, type Outcome } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { finishRotation } from "../finish-rotation.ts";
import { formatDuration } from "../format.ts";
import { createRepeatedRead } from "../repeated-read.ts";
import { noValueArgument, readSecret } from "../read-secret.ts";
import { adminPorts, presentKeys, type OldKey } from "../rotation.ts";
import type { StackPool } from "../stack.ts";
import { tryPorts } from "../studio.ts";
import { duration, seconds } from "../values.ts";

const defaultWatchMs = 120_000;
const defaultTimeoutMs = 900_000;
const watchEveryMs = 5_000;

const input = z.object({
  mint: z.boolean().default(false),
  finish: z.boolean().default(false),
  watch: seconds(3_600).default(defaultWatchMs),
  timeout: duration().default(defaultTimeoutMs),
  unusedFor: seconds(86_400).optional(),
});
type Input = z.output<typeof input>;

export const rotate: Command = defineCommand({
  name: "rotate",
  summary: "Replaces runner keys: tries, stores and promotes new ones, and rolls back if they are refused",
  details:
    "Reads the key from standard input or a hidden prompt, or creates it at Studio with --mint, using the account stored by secrets set account-key. " +
    "Running jobs finish with the key that leased them. Exits with 1 if the new keys are refused; the old ones stay in use then. " +
    "With --finish, revokes old keys that no job uses instead.",
  noMore: noValueArgument,
  options: [
    { flags: "--mint", meaning: "create as many new keys at Studio as there are; needs the account key" },
    { flags: "--watch <time>", meaning: "how long to watch for refusals after the promotion; default: 120s" },
    {
      flags: "--finish",
      meaning: "revoke old keys that no job uses, and wait for those still in use",
    },
    { flags: "--timeout <time>", meaning: "with --finish: how long to wait; default: 15m" },
    {
      flags: "--unused-for <time>",
      meaning: "with --finish: how long a key must be unused; default: a cycle's timeout and 15 s",
    },
  ],
  examples: [
    { line: "rotate < new-key.txt", shows: "a key that was created on Studio's page" },
    { line: "rotate --mint --pool europe", shows: "a new one from Studio" },
    { line: "rotate --finish", shows: "revokes the old ones once their jobs have ended" },
  ],
  input,
  run: async (context, given) => {
    if (given.finish && given.mint)
      throw new CliError("usage", "--finish creates no keys: give --mint or --finish, not both.");
    return given.finish
      ? finishRotation(context, { timeoutMs: given.timeout, unusedForMs: given.unusedFor })
      : rotateNow(context, given);
  },
});

async function rotateNow(context: Context, { mint, watch }: Input): Promise<Outcome> {
  const { terminal } = context;
  const pool = await context.pool();
  const { table } = await context.runStore();
  const secretId = pool.output("KeysSecret");
  const { kind } = pool.settings;
  const rotation = createRotationRow(table);
  const where = { pool: pool.name, kind, secretId, rotation };
  const { present, old, kept } = await presentKeys(context, where);
  const { keys, instances } = withKept(await newKeys(context, { mint, pool, count: old.length }), kept);
  terminal.progress(`Trying ${keys.map(({ id }) => id).join(", ")} at Studio`);
  const ports = await rotatePorts(context, { pool, watchMs: watch });
  const { outcome, versionId, refused, watchedMs } = await rotateKeys(ports, {
    pool: pool.name,
    secretId,
    keys,
    instances,
    present,
    watch: { forMs: watch, everyMs: Math.min(watchEveryMs, Math.max(1_000, watch)) },
  });
  const data: Data = {
    pool: pool.name,
    outcome,
    versionId: versionId ?? null,
    previousVersionId: present.versionId ?? null,
    newKeys: keys.map(({ id }) => id),
    oldKeys: old.filter(({ keyId }) => !keys.some(({ id }) => id === keyId)),
    refused,
    watchedMs,
    hasRotator: pool.optional("Rotator") !== undefined,
    kind,
    keptKeys: kept.instances.map(({ credentialId, kind: ofKey }) => ({ keyId: credentialId, kind: ofKey })),
  };
  return { data, text: () => render(data, context), exit: outcome === "promoted" ? "ok" : "finding" };
}

/** New keys first. A kept key that is given again counts as new. */
function withKept({ keys, instances }: Keyed, kept: Keyed): Keyed {
  const given = new Set(keys.map(({ id }) => id));
  return {
    keys: [...keys, ...kept.keys.filter(({ id }) => !given.has(id))],
    instances: [...instances, ...kept.instances.filter(({ credentialId }) => !given.has(credentialId))],
  };
}

type Keyed = Pick<RunnerSecret, "keys" | "instances">;

interface Wanted {
  readonly mint: boolean;
  readonly pool: StackPool;
  /** The number of keys in the pool now. */
  readonly count: number;
}

async function newKeys(context: Context, { mint, pool, count }: Wanted): Promise<Keyed> {
  const { name, settings } = pool;
  if (mint) return mintKeys(await adminPorts(context), { pool: name, kind: settings.kind, count });
  const wanted = { what: "the new runner key", name: "new runner key", parse: parseRunnerSecret };
  return (await readSecret(context, wanted)).parsed;
}

interface Watching {
  readonly pool: StackPool;
  readonly watchMs: number;
}

async function rotatePorts(context: Context, { pool, watchMs }: Watching): Promise<RotateContext> {
  const { terminal, clock, newId, signal } = context;
  const [{ settings }, { runs, lock, table }, store] = await Promise.all([
    context.stack(),
    context.runStore(),
    context.secrets(),
  ]);
  let promotedAtMs = 0;
  const look = createRepeatedRead(context, "read the run store");
  return {
    ...tryPorts(context, settings),
    store,
    runStore: runs,
    rotation: createRotationRow(table),
    newId,
    signal,
    onStep: (step) => {
      if (step === "promoted") promotedAtMs = clock.now();
      terminal.progress(stepWords[step]);
    },
    sawRefusal: async () => {
      const watchedMs = clock.now() - promotedAtMs;
      const watching = "Watching for refusals";
      terminal.progress(`${watching}: ${formatDuration(watchedMs)} of ${formatDuration(watchMs)}`, watching);
      const found = await look(() => lock.read(pool.name));
      if ("error" in found) return false;
      const { lastCycle } = found.value;
      if (lastCycle?.reason !== "key_refused") return false;
      // A cycle that was running at the promotion used the old keys, whose refusal may be the reason for the
      // rotation.
      return lastCycle.atMs - pollingTimes[pool.settings.polling].cycleMs > promotedAtMs;
    },
  };
}

const stepWords = {
  tried: "Studio accepts it: storing and promoting it",
  promoted: "Promoted: the next cycle leases with it",
  watched: "Finished watching",
} as const;

interface Data {
  readonly pool: string;
  readonly outcome: RotateOutcome;
  /** Null: nothing was stored. */
  readonly versionId: string | null;
  readonly previousVersionId: string | null;
  readonly newKeys: readonly string[];
  /** New and kept keys that Studio refused when they were tried. */
  readonly refused: readonly string[];
  readonly oldKeys: readonly OldKey[];
  readonly watchedMs: number;
  readonly hasRotator: boolean;
  /** The pool's kind. */
  readonly kind: RunnerKind;
  readonly keptKeys: readonly { readonly keyId: string; readonly kind: RunnerKind | undefined }[];
}

const endWords: Readonly<Record<RotateOutcome, (data: Data) => string>> = {
  promoted: ({ pool, newKeys: ids, watchedMs }) =>
    `Pool ${pool} now leases with ${ids.join(", ")}; nothing was refused in ${formatDuration(watchedMs)}.`,
  refused: (data) =>
    `Studio refuses ${whoIn(data)}: nothing was changed, and pool ${data.pool} still leases with its old keys.`,
  overtaken: ({ newKeys: ids }) =>
    `Another value has been stored since this rotation began. It stays, and ${ids.join(", ")} is not used. Check it, and rotate again.`,
  rolled_back: (data) =>
    `Studio refused ${whoIn(data)} after the promotion: pool ${data.pool} leases with its old keys again.`,
  superseded: (data) =>
    `Studio refused ${whoIn(data)} after the promotion, but another value has been stored since. It was left in place.`,
};

/** The refused keys in words. A dispatch cycle does not record which of its keys was refused. */
const whoIn = ({ refused, keptKeys }: Data): string =>
  refused.length === 0
    ? "a dispatch cycle"
    : nameRefused(
        refused,
        keptKeys.map(({ keyId }) => keyId),
      );

function render(data: Data, { commandLine }: Context): string {
  const { outcome, oldKeys, hasRotator, keptKeys, kind: own } = data;
  const end = endWords[outcome](data);
  if (outcome !== "promoted") return end;
  const known = oldKeys.filter(({ revocable }) => revocable && hasRotator).map(({ keyId }) => keyId);
  const others = oldKeys.map(({ keyId }) => keyId).filter((keyId) => !known.includes(keyId));
  const lines = [
    ...keptKeys.map(
      ({ keyId, kind }) => `${keyId} is of kind ${kind}, not of the pool's kind (${own}), so it stays.`,
    ),
    known.length > 0 &&
      `The rotator revokes ${known.join(", ")} once no job uses it; to wait for that: ${commandLine("rotate --finish")}`,
    others.length > 0 &&
      `Revoke ${others.join(", ")} on Studio's page once no job uses it (${commandLine("jobs --state running")}).`,
  ];
  return [end, ...lines.filter((line) => line !== false)].join("\n");
}
