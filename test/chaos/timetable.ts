import { setTimeout as pause } from "node:timers/promises";
import { signalGroup } from "../../local/cloud/warden.ts";
import type { FaultKind } from "./kinds.ts";
import { between, seeded } from "./random.ts";
import { retryAfters, type RetryAfter } from "./rules.ts";
import { did, has, type ChaosContext } from "./context.ts";
import { runStoreOutages } from "./service-faults.ts";
import type { Stage } from "./stage.ts";
import { studioOutage } from "./studio-faults.ts";

const runStoreOutageMs = 2_500;
const spellMs = 2_500;

export interface Entry {
  /** Share of the jobs that have ended. */
  readonly at: number;
  readonly act: () => Promise<void>;
}

type Act = (context: ChaosContext) => Promise<void>;

export function timetableOf(context: ChaosContext): Entry[] {
  const { jobs, seed } = context.options;
  const random = seeded(seed, "timetable");
  const often = (kind: FaultKind, times: number, act: Act, within = 0.6): readonly Entry[] => {
    if (!has(context, kind)) return [];
    const count = Math.max(1, Math.round(times));
    return Array.from({ length: count }, (_, at) => ({
      at: (at + 0.1 + within * random()) / count,
      act: () => (context.over.signal.aborted ? Promise.resolve() : act(context)),
    }));
  };
  return [
    ...often("outage", jobs / 250, studioDown),
    ...often("outage", jobs / 250, runStoreAway("runStoreThrottled")),
    ...often("cut-off", jobs / 250, runStoreAway("runStoreCut")),
    ...often("key", jobs / 300, rotateKey),
    // Early, so that a run is still using the key.
    ...often("key", jobs / 300, revokeKey, 0.2),
    ...often("retry-after", jobs / 100, spellOf("studio", context)),
    ...often("retry-after", jobs / 100, spellOf("model", context)),
    ...often("skew", jobs / 25, stepClock(context)),
    ...(has(context, "skew") ? [{ at: 0.5, act: () => jumpClock(context) }] : []),
  ].toSorted((left, right) => left.at - right.at);
}

/** Longer than an attempt, and shorter than a lease. */
async function studioDown(context: ChaosContext): Promise<void> {
  did(context, "studioDown");
  const end = context.stage.studio.faults.addFirst(studioOutage);
  await pause(context.options.attemptSeconds * 1_000 + 500);
  end();
}

const runStoreAway =
  (deed: "runStoreThrottled" | "runStoreCut"): Act =>
  async (context) => {
    const { dynamodb } = context.stage.proxies;
    did(context, deed);
    dynamodb.setOutage(runStoreOutages[deed]);
    await pause(runStoreOutageMs);
    dynamodb.setOutage(undefined);
  };

/** Values of Retry-After that once caused a hot loop, used in turn. */
const spellWishes: readonly RetryAfter[] = ["0", "25 days", "a past date", "negative"];

/** Answers every call in this way for seconds. A caller that does not wait asks without end. */
function spellOf(server: "studio" | "model", { stage }: ChaosContext): Act {
  let spells = server === "studio" ? 0 : 1;
  return async (context) => {
    const wish = spellWishes[Math.floor(spells / 2) % spellWishes.length]!;
    const status = spells++ % 2 === 0 ? 429 : 503;
    did(context, server === "studio" ? "studioSpell" : "modelSpell");
    const headers = { "retry-after": retryAfters[wish] };
    const name = `for seconds: ${status}, Retry-After: ${wish}`;
    const end = stage[server].faults.addFirst({ name, fault: { kind: "status", status, headers } });
    await pause(spellMs);
    end();
  };
}

/** By up to a second, back and forth. */
function stepClock({ options }: ChaosContext): Act {
  const random = seeded(options.seed, "steps");
  let wanderMs = 0;
  return async (context) => {
    const nextMs = between(random, -1_000, 1_000);
    context.stage.clock.step(nextMs - wanderMs);
    wanderMs = nextMs;
    did(context, "skewed");
    await Promise.resolve();
  };
}

/** Lets every held lease expire at once. */
async function jumpClock(context: ChaosContext): Promise<void> {
  context.stage.clock.jump();
  did(context, "skewJumped");
  await Promise.resolve();
}

/**
 * Puts the new key first and keeps the old ones, because runs in flight need them: two rotations may be close
 * together.
 */
async function rotateKey(context: ChaosContext): Promise<void> {
  const { stage } = context;
  const fresh = stage.studio.createKey("user").runnerToken;
  stage.putRunnerKeys([fresh, ...stage.runnerKeys()].slice(0, 4));
  killDispatchers(stage);
  did(context, "rotated");
  await Promise.resolve();
}

function killDispatchers({ cloud }: Stage): void {
  const dispatcher = cloud.functions().find(({ label }) => label.includes("dispatch"));
  for (const { pid } of dispatcher?.environments ?? []) signalGroup(pid, "SIGKILL");
}

/** Revokes a key as soon as a lease was taken with it, so that a run in flight holds it. */
async function revokeKey(context: ChaosContext): Promise<void> {
  const { stage, over } = context;
  const key = stage.studio.createKey("user");
  const before = stage.runnerKeys();
  const used = Promise.withResolvers<boolean>();
  const limit = AbortSignal.any([over.signal, AbortSignal.timeout(60_000)]);
  limit.addEventListener("abort", () => used.resolve(false), { once: true });
  stage.watch.onLine((line) => {
    if (line["keyId"] === key.credentialId && line.message === "attempt_started" && !limit.aborted)
      used.resolve(true);
  });
  stage.putRunnerKeys([...before, key.runnerToken]);
  // Dispatchers cache keys for minutes, so their processes are replaced.
  for (const { pid } of stage.watch.running().filter(({ role }) => role === "dispatcher"))
    signalGroup(pid, "SIGKILL");
  const isInFlight = await used.promise;
  stage.putRunnerKeys(before);
  stage.studio.revokeKey(key.instanceId);
  if (isInFlight) did(context, "revoked");
}
