/** What the parent and an execution environment's process say to each other over IPC. */
export interface InvokeMessage {
  readonly kind: "invoke";
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly timeoutMs: number;
  readonly trace: string;
}

/** An error as Lambda shows it to the caller. */
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
      /** The process is about to exit: nothing more can run in it. */
      readonly fatal: boolean;
    };
