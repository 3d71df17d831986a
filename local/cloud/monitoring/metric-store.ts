/** A metric: one namespace, one name, one set of dimension values. */
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
  /** Samples of `startMs` ≤ time < `endMs`, oldest first. */
  samples(metric: MetricId, range: { readonly startMs: number; readonly endMs: number }): readonly Sample[];
  /** Every metric that has been emitted. */
  metrics(): readonly MetricId[];
}

export interface StoreLimits {
  /** Metrics; the one that has been silent for longest goes first. */
  readonly metrics: number;
  /** Samples of one metric; the oldest go first. */
  readonly samples: number;
}

const defaultLimits: StoreLimits = { metrics: 2_000, samples: 20_000 };

interface Series {
  readonly metric: MetricId;
  samples: Sample[];
}

/** CloudWatch's metrics in memory: every sample as it came, so that any period and any percentile can be asked for. */
export function createMetricStore(limits: StoreLimits = defaultLimits): MetricStore {
  const all = new Map<string, Series>();
  return {
    add(metric, sample) {
      const key = keyOf(metric);
      const series = all.get(key) ?? { metric, samples: [] };
      // Taken out and put in again: the map's order is the order of use.
      all.delete(key);
      all.set(key, series);
      const [oldest] = all.keys();
      if (all.size > limits.metrics && oldest !== undefined) all.delete(oldest);
      insert(series.samples, sample);
      // In portions: dropping one at a time would copy the whole list at each sample.
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

/** Nearly always at the end: processes' lines may overtake each other by a little. */
function insert(samples: Sample[], sample: Sample): void {
  const before = samples.findLastIndex(({ atMs }) => atMs <= sample.atMs);
  samples.splice(before + 1, 0, sample);
}

function keyOf({ namespace, name, dimensions }: MetricId): string {
  const sorted = Object.entries(dimensions).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}
