import * as z from "zod";
import type { MetricId, Sample } from "./metric-store.ts";
import { parseJson } from "../../../lib/core/json.ts";

const name = z.string().min(1);
const lineSchema = z.looseObject({
  _aws: z.looseObject({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.looseObject({
        Namespace: name,
        Dimensions: z.array(z.array(name)),
        Metrics: z.array(z.looseObject({ Name: name })),
      }),
    ),
  }),
});

type Line = z.output<typeof lineSchema>;

export interface EmittedSample extends Sample {
  readonly metric: MetricId;
}

/**
 * The metrics in a log line of the embedded metric format, one per dimension set. Returns none for any other
 * line, and drops a metric whose value or dimension is missing, as CloudWatch does.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function readEmf(text: string): readonly EmittedSample[] {
  if (!text.startsWith("{") || !text.includes('"_aws"')) return [];
  const line = lineSchema.safeParse(parseJson(text)).data;
  if (line === undefined) return [];
  const { _aws: metadata } = line;
  return metadata.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name }) =>
      Dimensions.flatMap((keys) => samplesOf(line, { namespace: Namespace, name: Name, keys })),
    ),
  );
}

interface Wanted {
  readonly namespace: string;
  readonly name: string;
  readonly keys: readonly string[];
}

const valuesSchema = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

function samplesOf(line: Line, { namespace, name: metricName, keys }: Wanted): readonly EmittedSample[] {
  const values = valuesSchema.safeParse(line[metricName]).data ?? [];
  const dimensions: Record<string, string> = {};
  for (const key of keys) {
    const value = line[key];
    if (typeof value !== "string") return [];
    dimensions[key] = value;
  }
  const metric = { namespace, name: metricName, dimensions };
  const { _aws: metadata } = line;
  return values.map((value) => ({ metric, atMs: metadata.Timestamp, value }));
}
