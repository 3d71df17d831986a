import type { DashboardSource, TimeRange } from "./source.ts";

/** What every widget of one drawing has in common. */
export interface DrawContext {
  readonly source: DashboardSource;
  readonly range: TimeRange;
  /** "15 minutes" */
  readonly rangeText: string;
  /** The widgets' own periods hold. */
  readonly inherit: boolean;
}
