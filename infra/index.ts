/** The package's public names. docs/api.md describes them. */
export { StudioRunner } from "./studio-runner.ts";
export type { Pool } from "./pool.ts";
export type { KeySecret } from "./key-secret.ts";
export type { MetricName } from "../lib/core/metrics.ts";
export type * from "./props.ts";
