import type { Model } from "../model/model.ts";
import { RunnerError, toRunnerError } from "../core/errors.ts";
import { rateLimitWaitMs } from "../core/retry.ts";
import type { Ports } from "./ports.ts";
import { extendBackoff, type BackoffPorts } from "./pool-backoff.ts";

/** Creates the model client; it calls `onRateLimited` on each 429. */
export type PacedProvider = (
  onRateLimited: (limit: { readonly retryAfterMs: number | undefined }) => void,
) => Model;

export interface PacedPorts extends BackoffPorts, Pick<Ports, "metrics"> {
  readonly pool: string;
}

/** The back-off row is not read again for this long. */
const knownForMs = 1_000;

/**
 * A model whose 429 makes the whole pool wait: the wait is written to the run store, and within a second no run of the pool starts a new
 * round before it is over. The runs then start again at slightly different times. A 429 never fails a job: the round is retried until the
 * signal aborts, at a continuation or at the run's time limit. If the run store is out of reach, only this run waits.
 */
export function paced(provider: PacedProvider, ports: PacedPorts): Model {
  const { clock, random, backoff, pool, log } = ports;
  let refusals = 0;
  let freeAtMs = Number.NEGATIVE_INFINITY;
  const model = timed(
    provider(
      ({ retryAfterMs: askedMs }) =>
        void extendBackoff(ports, { pool, by: "model", attempt: ++refusals, askedMs }),
    ),
    ports,
  );

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

  /** Other runs may have extended the wait in the meantime. */
  const waitForPool = async (signal: AbortSignal): Promise<void> => {
    if (Math.abs(clock.now() - freeAtMs) <= knownForMs) return;
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
          const turn = await model.generate(request, generation);
          refusals = 0;
          return turn;
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

/** The runs that waited start again within this time: a fifth of the wait, at most 5 s. */
const spreadMs = (waitMs: number): number => Math.min(waitMs / 5, 5_000);

/** A model whose answers are timed. What fails, or is only followed by a later attempt, has no time of its own. */
export function timed(
  model: Model,
  { clock, metrics, pool }: Pick<PacedPorts, "clock" | "metrics" | "pool">,
): Model {
  return {
    ...model,
    generate: async (request, generation) => {
      const startedAtMs = clock.now();
      const turn = await model.generate(request, generation);
      const seconds = (clock.now() - startedAtMs) / 1000;
      metrics.emit("InferenceSeconds", { pool, model: request.model }, seconds);
      return turn;
    },
  };
}
