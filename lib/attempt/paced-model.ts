import type { Clock } from "../core/clock.ts";
import type { Model } from "../model/model.ts";
import type { BackoffRow } from "../runs/backoff.ts";
import { RunnerError, toRunnerError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { rateLimitWaitMs } from "../core/retry.ts";
import { holdBack } from "./hold-back.ts";

export interface PaceDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: BackoffRow;
  readonly pool: string;
  readonly log: Log;
}

/** Makes the model, given whom to tell of a 429. */
export type PacedProvider = (
  onRateLimited: (limit: { readonly retryAfterMs: number | undefined }) => void,
) => Model;

/** For one attempt. `poolFreeAtMs`: when somebody last saw that the pool need not wait; a cycle looks before it leases. */
export type PacedModel = (poolFreeAtMs?: number) => Model;

/** What was seen so shortly ago is not looked at again. */
const knownForMs = 1_000;

/**
 * A model whose 429 slows the whole pool: it is noted in the run store, and within a second no run of the pool asks a new
 * round before its time is over; then they do not all ask at once. A 429 fails no job: the round is asked again until the signal ends it,
 * at a continuation or at the run's limit. An unreachable run store slows nobody else.
 */
export function paced(provider: PacedProvider, deps: PaceDeps): PacedModel {
  const { pool } = deps;
  let refusals = 0;
  const model = provider(
    ({ retryAfterMs: askedMs }) => void holdBack(deps, { pool, by: "model", attempt: ++refusals, askedMs }),
  );
  const counted: Model = {
    ...model,
    generate: async (request, generation) => {
      const turn = await model.generate(request, generation);
      refusals = 0;
      return turn;
    },
  };
  return (poolFreeAtMs) => pacedAttempt(counted, deps, poolFreeAtMs);
}

function pacedAttempt(model: Model, deps: PaceDeps, poolFreeAtMs = Number.NEGATIVE_INFINITY): Model {
  const { clock, random, backoff, pool, log } = deps;
  let freeAtMs = poolFreeAtMs;

  const heldBackMs = async (): Promise<number> => {
    try {
      return (await backoff.read(pool)).modelUntilMs - clock.now();
    } catch (thrown) {
      const error = toRunnerError(thrown);
      log.warn("backoff_unavailable", { reason: error.code, error });
      return 0;
    }
  };

  const wait = (waitMs: number, signal: AbortSignal): Promise<void> =>
    clock.sleep(waitMs + Math.round(spreadMs(waitMs) * random()), signal);

  /** Others may have been told to wait for longer in the meantime. */
  const waitForPool = async (signal: AbortSignal): Promise<void> => {
    const ageMs = clock.now() - freeAtMs;
    // Another machine's clock may be ahead of ours.
    if (ageMs >= 0 && ageMs <= knownForMs) return;
    for (let waitMs = await heldBackMs(); waitMs > 0; waitMs = await heldBackMs()) {
      log.info("pool_held_back", { waitMs });
      await wait(waitMs, signal);
    }
    freeAtMs = clock.now();
  };

  return {
    ...model,
    generate: async (request, generation) => {
      for (let attempt = 1; ; attempt++) {
        await waitForPool(generation.signal);
        try {
          return await model.generate(request, generation);
        } catch (error) {
          if (!(error instanceof RunnerError) || error.status !== 429 || !error.retryable) throw error;
          freeAtMs = Number.NEGATIVE_INFINITY;
          const waitMs = rateLimitWaitMs({ attempt, askedMs: error.retryAfterMs }, random);
          await wait(waitMs, generation.signal);
        }
      }
    },
  };
}

/** Over which the runs that waited together ask again: a fifth of the wait, 5 s at most. */
const spreadMs = (waitMs: number): number => Math.min(waitMs / 5, 5_000);
