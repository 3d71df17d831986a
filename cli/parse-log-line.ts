import * as z from "zod";
import { parseJson } from "../lib/core/json.ts";

/** A line that `createJsonLog` wrote. */
const logLineSchema = z.looseObject({
  level: z.string(),
  message: z.string(),
  pool: z.string().optional(),
  workspaceId: z.string().optional(),
  runId: z.string().optional(),
  earlierRunId: z.string().optional(),
  keyId: z.string().optional(),
  state: z.string().optional(),
  reason: z.string().optional(),
  explanation: z.string().optional(),
  what: z.string().optional(),
  leased: z.number().optional(),
  inFlight: z.number().optional(),
  attempt: z.number().optional(),
  round: z.number().optional(),
  /** The tool that the model called. */
  tool: z.string().optional(),
  starts: z.number().optional(),
  losses: z.number().optional(),
  calls: z.number().optional(),
  waitMs: z.number().optional(),
  elapsedMs: z.number().optional(),
  model: z.string().optional(),
  costUsd: z.number().optional(),
  spentUsd: z.number().optional(),
  capUsd: z.number().optional(),
  inputTokens: z.number().optional(),
  outputTokens: z.number().optional(),
  deliverables: z.record(z.string(), z.number()).optional(),
  error: z.looseObject({ name: z.string().optional(), message: z.string().optional() }).optional(),
});

export type LogLine = z.infer<typeof logLineSchema>;

/** A log line of ours; `undefined` for metrics and lines of other programs. */
export const parseLogLine = (text: string): LogLine | undefined =>
  logLineSchema.safeParse(parseJson(text)).data;

/** A metric in embedded metric format (emf.ts). */
export function isMetricLine(text: string): boolean {
  return text.startsWith('{"_aws"');
}
