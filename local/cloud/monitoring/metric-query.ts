import * as z from "zod";

const number = z.coerce.number();

/**
 * One query for metric data in CloudWatch's format, used in an alarm of the template (`Metrics`) and in the
 * API. Periods are in seconds.
 */
export const metricQuerySchema = z.object({
  Id: z.string().min(1),
  MetricStat: z
    .object({
      Metric: z.object({
        Namespace: z.string(),
        MetricName: z.string(),
        Dimensions: z
          .array(z.object({ Name: z.string(), Value: z.string() }))
          .readonly()
          .default([]),
      }),
      Period: number,
      Stat: z.string(),
    })
    .optional(),
  Expression: z.string().optional(),
  Label: z.string().optional(),
  Period: number.optional(),
  ReturnData: z.boolean().default(true),
});

export type MetricQuery = Readonly<z.output<typeof metricQuerySchema>>;
/** A query as a caller writes it, without fields that have a default. */
export type MetricQueryInput = Readonly<z.input<typeof metricQuerySchema>>;
