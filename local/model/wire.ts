/**
 * The supported part of the Responses API's formats. Source: openai 7.55.0,
 * `resources/responses/responses.d.ts` (Response, ResponseStreamEvent, ResponseUsage, …).
 */
export interface OutputTextPart {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly unknown[];
  readonly logprobs: readonly unknown[];
}

export interface RefusalPart {
  readonly type: "refusal";
  readonly refusal: string;
}

export type ItemStatus = "in_progress" | "completed" | "incomplete";

export type OutputItem =
  | {
      readonly type: "reasoning";
      readonly id: string;
      readonly summary: readonly unknown[];
      /** Present only if the request includes `reasoning.encrypted_content`. */
      readonly encrypted_content?: string;
    }
  | {
      readonly type: "message";
      readonly id: string;
      readonly role: "assistant";
      readonly status: ItemStatus;
      readonly content: readonly (OutputTextPart | RefusalPart)[];
    }
  | {
      readonly type: "function_call";
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      readonly status: ItemStatus;
    };

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "cancelled" | "failed";

export interface Usage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export interface ResponseBody {
  readonly id: string;
  readonly object: "response";
  /** Epoch seconds, like all times of the API. */
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incomplete_details: { readonly reason: string } | null;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly previous_response_id: string | null;
  readonly background: boolean;
  readonly store: boolean;
  readonly usage: Usage | null;
  /** The request's settings, repeated. */
  readonly [setting: string]: unknown;
}

export interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

export const terminalStatuses: readonly ResponseStatus[] = ["completed", "incomplete", "cancelled", "failed"];

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
