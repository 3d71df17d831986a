/** A call by one process. */
export interface PacedCall {
  readonly caller?: string | undefined;
  /** Epoch ms. */
  readonly at: number;
}

export interface BusiestSecond {
  readonly service: string;
  readonly caller: string;
  readonly calls: number;
}

/**
 * The maximum number of calls of one process per second. A dispatcher leases in batches; a processor asks the
 * model, reads results and sends heartbeats.
 */
export const paceBounds: Readonly<Record<string, number>> = { Studio: 40, model: 20, DynamoDB: 80 };

/** For each service, the process with the most calls within any second. */
export function busiestSeconds(
  calls: Readonly<Record<string, readonly PacedCall[]>>,
): readonly BusiestSecond[] {
  return Object.entries(calls).map(([service, all]) => {
    const byCaller = Map.groupBy(all, ({ caller = "?" }) => caller);
    const busiest = [...byCaller].map(([caller, own]) => ({
      service,
      caller,
      calls: mostWithinSecond(own.map(({ at }) => at)),
    }));
    return busiest.reduce((most, one) => (one.calls > most.calls ? one : most), {
      service,
      caller: "",
      calls: 0,
    });
  });
}

function mostWithinSecond(times: readonly number[]): number {
  const sorted = times.toSorted((left, right) => left - right);
  let [first, most] = [0, 0];
  sorted.forEach((at, last) => {
    while (at - sorted[first]! >= 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
}
