/** A metric: a namespace, a name, and a set of dimension values. */
export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface MetricStore {
  add(metric: MetricId, sample: Sample): void;
  /** Samples with `startMs` ≤ time < `endMs`, oldest first. */
  samples(metric: MetricId, range: { readonly startMs: number; readonly endMs: number }): readonly Sample[];
  /** Every metric that has been emitted. */
  metrics(): readonly MetricId[];
}

export interface StoreLimits {
  /** Maximum number of metrics. The one without samples for the longest time is dropped. */
  readonly metrics: number;
  /** Maximum number of samples per metric. The oldest are dropped. */
  readonly samples: number;
}

const defaultLimits: StoreLimits = { metrics: 2_000, samples: 20_000 };

interface Series {
  readonly metric: MetricId;
  samples: Sample[];
}

/** CloudWatch's metrics in memory. Keeps every sample, so that any period and percentile can be computed. */
export function createMetricStore(limits: StoreLimits = defaultLimits): MetricStore {
  const all = new Map<string, Series>();
  return {
    add(metric, sample) {
      const key = keyOf(metric);
      const series = all.get(key) ?? { metric, samples: [] };
      // Removes and inserts it again, so that the map is in order of use.
      all.delete(key);
      all.set(key, series);
      const [oldest] = all.keys();
      if (all.size > limits.metrics && oldest !== undefined) all.delete(oldest);
      insert(series.samples, sample);
      // Drops several at once, because each drop copies the whole list.
      if (series.samples.length > limits.samples * 1.1)
        series.samples = series.samples.slice(-limits.samples);
    },
    samples(metric, { startMs, endMs }) {
      const { samples = [] } = all.get(keyOf(metric)) ?? {};
      return samples.filter(({ atMs }) => atMs >= startMs && atMs < endMs);
    },
    metrics: () => [...all.values()].map(({ metric }) => metric),
  };
}

/** Inserts near the end: lines of several processes may arrive slightly out of order. */
function insert(samples: Sample[], sample: Sample): void {
  const before = samples.findLastIndex(({ atMs }) => atMs <= sample.atMs);
  samples.splice(before + 1, 0, sample);
}

function keyOf({ namespace, name, dimensions }: MetricId): string {
  const sorted = Object.entries(dimensions).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}
