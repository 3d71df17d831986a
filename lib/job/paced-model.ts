import type { Clock } from "../clock.ts";
import type { Model } from "../inference/model.ts";
import type { BackoffRow } from "../ledger/backoff.ts";
import { toRunnerError } from "../errors.ts";
import type { Log } from "../log.ts";
import { timing } from "../timing.ts";

export interface PaceDeps {
  readonly clock: Clock;
  readonly backoff: BackoffRow;
  readonly pool: string;
  readonly log: Log;
}

/** Makes the model, given whom to tell of a 429. */
export type PacedProvider = (
  onRateLimited: (limit: { readonly retryAfterMs: number | undefined }) => void,
) => Model;

/**
 * A model whose 429 slows the whole pool: it is noted in the ledger, and no run of the pool asks a new round before its
 * time is over. An unreachable ledger slows nobody.
 */
export function paced(provider: PacedProvider, deps: PaceDeps): Model {
  const { clock, backoff, pool, log } = deps;

  const note = async (waitMs: number): Promise<void> => {
    try {
      await backoff.extend(pool, "model", clock.now() + waitMs);
    } catch (thrown) {
      log.warn("report_failed", { what: "back-off", error: toRunnerError(thrown) });
    }
  };
  const model = provider(({ retryAfterMs }) => void note(retryAfterMs ?? timing.rateLimitMs));

  const heldBackMs = async (): Promise<number> => {
    try {
      return (await backoff.read(pool)).modelUntilMs - clock.now();
    } catch (thrown) {
      log.warn("report_failed", { what: "back-off", error: toRunnerError(thrown) });
      return 0;
    }
  };

  return {
    ...model,
    generate: async (request, generation) => {
      const waitMs = await heldBackMs();
      if (waitMs > 0) {
        log.info("pool_held_back", { waitMs });
        await clock.sleep(waitMs, generation.signal);
      }
      return model.generate(request, generation);
    },
  };
}
