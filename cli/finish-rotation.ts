import { revokeUnused } from "../lib/rotation/revoke.ts";
import { tryParseRunnerSecret } from "../lib/keys/runner-secret.ts";
import type { Outcome } from "./command.ts";
import type { Context } from "./context.ts";
import { count, formatDuration } from "./format.ts";
import { createRepeatedRead } from "./repeated-read.ts";
import { adminPorts } from "./rotation.ts";

const lookEveryMs = 5_000;
/** Added to a cycle's timeout. By then, the run store has every lease that was taken. */
const slackMs = 15_000;

export interface FinishTimes {
  readonly timeoutMs: number;
  /** Absent: longer than the pool's longest dispatch cycle. */
  readonly unusedForMs: number | undefined;
}

/** Revokes the old runner instances at Studio, each as soon as no job uses its key. Waits for those jobs. */
export async function finishRotation(context: Context, times: FinishTimes): Promise<Outcome> {
  const { clock, terminal, signal } = context;
  const pool = await context.pool();
  const ports = await adminPorts(context);
  const secretId = pool.output("KeysSecret");
  const cycleMs = pool.settings.dispatcher.timeoutSeconds * 1_000;
  const settings = { pool: pool.name, secretId, revokeAfterMs: times.unusedForMs ?? cycleMs + slackMs };
  const untilMs = clock.now() + times.timeoutMs;
  const revoked: string[] = [];
  const look = createRepeatedRead(context, "revoke old keys");
  for (;;) {
    const found = await look(async () => {
      const { revoked: now, waiting } = await revokeUnused(ports, settings);
      revoked.push(...now);
      return { waiting, left: await leftOver(ports, settings) };
    });
    if ("error" in found) {
      if (clock.now() >= untilMs) throw found.error;
      await clock.sleep(lookEveryMs, signal);
      continue;
    }
    const { waiting, left } = found.value;
    if (left.length === 0 || clock.now() >= untilMs) {
      const data = { pool: pool.name, revoked, left };
      return { data, text: () => render(data), exit: left.length === 0 ? "ok" : "finding" };
    }
    const used = left.length - waiting.length;
    terminal.progress(
      `${count(left.length, "old key")} left: ${used} used by running jobs, ${waiting.length} unused for less than ${formatDuration(settings.revokeAfterMs)}`,
    );
    await clock.sleep(Math.min(lookEveryMs, untilMs - clock.now()), signal);
  }
}

/** Old keys whose instance is known and not revoked yet. */
async function leftOver(
  { store, rotation }: Awaited<ReturnType<typeof adminPorts>>,
  { pool, secretId }: { readonly pool: string; readonly secretId: string },
): Promise<readonly string[]> {
  const [known, current, pending] = await Promise.all([
    rotation.read(pool),
    store.readStage(secretId, "AWSCURRENT"),
    store.readStage(secretId, "AWSPENDING"),
  ]);
  const keys = [current, pending].flatMap((text) => tryParseRunnerSecret(text, secretId).keys);
  const needed = new Set(keys.map(({ id }) => id));
  return known
    .filter(({ credentialId, revokedAtMs }) => revokedAtMs === undefined && !needed.has(credentialId))
    .map(({ credentialId }) => credentialId);
}

interface Data {
  readonly pool: string;
  readonly revoked: readonly string[];
  readonly left: readonly string[];
}

function render({ pool, revoked, left }: Data): string {
  const done = revoked.length === 0 ? "No old key was revoked." : `Revoked: ${revoked.join(", ")}.`;
  if (left.length === 0) return `${done} Pool ${pool} has no old key left whose instance the runner knows.`;
  return `${done} Still used, or used a moment ago: ${left.join(", ")}. Run it again once their jobs have ended.`;
}
