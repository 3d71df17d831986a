import { AwsError, networkFault, type AwsJsonCall } from "./aws-json.ts";

interface Options {
  readonly abortSignal: AbortSignal;
}

/** A service's actions by name, through its client of the AWS SDK. */
export type SdkActions = Readonly<Record<string, (input: object, options: Options) => Promise<unknown>>>;

/** The SDK in the place of a signed call: for who needs what only it finds (profiles, sign-ins, regions), and not its speed. */
export function createSdkCall(actions: SdkActions): AwsJsonCall {
  return async (action, input, abortSignal) => {
    const send = actions[action];
    if (!send) throw new TypeError(`nothing here calls ${action}`);
    try {
      return await send(input, { abortSignal });
    } catch (error) {
      const status = statusOf(error);
      // A connection that broke in the middle of an answer has its status too.
      if (!(error instanceof Error) || status === undefined || networkFault(error) !== undefined) throw error;
      throw new AwsError(error.name, error.message, { status, cause: error });
    }
  };
}

/** The service's errors carry their HTTP status in `$metadata`; so do answers that are no JSON. */
function statusOf(error: unknown): number | undefined {
  const metadata =
    typeof error === "object" && error !== null && "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
