import { randomBytes } from "node:crypto";
import type { Responses } from "openai/resources/responses/responses";

/** The supported part of the Responses API's formats. */
export type OutputItem =
  | Responses.ResponseReasoningItem
  | Responses.ResponseOutputMessage
  | (Responses.ResponseFunctionToolCall & { readonly id: string });

export type ItemStatus = Responses.ResponseOutputMessage["status"];

export type ResponseBody = Pick<
  Responses.Response,
  "id" | "object" | "created_at" | "error" | "incomplete_details" | "model"
> & {
  readonly completed_at: number | null;
  readonly status: Responses.ResponseStatus;
  readonly output: readonly OutputItem[];
  readonly previous_response_id: string | null;
  readonly background: boolean;
  readonly store: boolean;
  readonly usage: Responses.ResponseUsage | null;
  /** The request's settings, repeated. */
  readonly [setting: string]: unknown;
};

export interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

export const terminalStatuses: readonly Responses.ResponseStatus[] = [
  "completed",
  "incomplete",
  "cancelled",
  "failed",
];

/** An error response in OpenAI's format. Handlers throw it, and the server sends it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;

  constructor(status: number, message: string, details: { code?: string; param?: string } = {}) {
    super(message);
    this.status = status;
    this.code = details.code ?? null;
    this.param = details.param ?? null;
  }

  body(): unknown {
    const type = this.status >= 500 ? "server_error" : "invalid_request_error";
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}

/** `resp` → `resp_…`; never the same twice. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(24).toString("hex")}`;
