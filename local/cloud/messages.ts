/** IPC messages between the parent and an execution environment's process. */
export interface InvokeMessage {
  readonly kind: "invoke";
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly timeoutMs: number;
  readonly trace: string;
}

/** An error in the format that Lambda returns to the caller. */
export interface LambdaFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[] | undefined;
}

export type ChildMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "init-failed"; readonly error: LambdaFailure }
  | { readonly kind: "response"; readonly requestId: string; readonly payload: string }
  | {
      readonly kind: "failed";
      readonly requestId: string;
      readonly error: LambdaFailure;
      /** The process is about to exit and can run no more invocations. */
      readonly fatal: boolean;
    };
