import { RunnerError } from "../core/errors.ts";
import type { Usage } from "./model.ts";

/** A response that ended without being of use, and has cost what it has cost. */
export class BadEnd extends RunnerError {
  readonly responseId: string;
  readonly usage: Usage;

  constructor(error: RunnerError, response: { readonly responseId: string; readonly usage: Usage }) {
    const { code, message, retryable, status, retryAfterMs, cause } = error;
    super(code, message, {
      retryable,
      ...(cause === undefined ? {} : { cause }),
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    this.responseId = response.responseId;
    this.usage = response.usage;
  }
}
