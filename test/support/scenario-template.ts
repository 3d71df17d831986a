import { inject } from "vitest";
import * as template from "./template.ts";

export interface Timeouts {
  /** Replaces the template's value. */
  readonly processorTimeoutSeconds?: number;
  /** Replaces the template's value. A killed dispatcher keeps its lock for this time. */
  readonly dispatcherTimeoutSeconds?: number;
}

/** The logical id of the template's only table, function, secret or queue that `part` names. */
export const idOf = (part: string): string => template.idOf(inject("templateFile"), part);

/** The shared template, or a copy of it with other timeouts. */
export function templateFor({ processorTimeoutSeconds, dispatcherTimeoutSeconds }: Timeouts): string {
  const shared = inject("templateFile");
  if (processorTimeoutSeconds === undefined && dispatcherTimeoutSeconds === undefined) return shared;
  return template.withTimeouts(shared, {
    ProcessorRunner: processorTimeoutSeconds,
    Dispatcher: dispatcherTimeoutSeconds,
  });
}
