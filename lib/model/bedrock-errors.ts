import type { ErrorCode } from "../core/errors.ts";
import type { ProviderFailure } from "./provider-errors.ts";

/** What a refusal of Amazon Bedrock means and what the operator can do. Contains no account, role or request id from AWS's message. */
export interface BedrockRefusal {
  readonly kind: "permission" | "access" | "signature" | "model";
  readonly code: ErrorCode;
  readonly finding: string;
  readonly remedy: string;
}

interface Row extends Pick<BedrockRefusal, "kind" | "code" | "remedy"> {
  readonly statuses: readonly number[];
  /** Matches AWS's message, or its error code. */
  readonly said: RegExp;
  readonly finding: (place: string, said: RegExpExecArray) => string;
}

/** Bedrock uses 401 as well as 403, and 400 for what its JSON services refuse. */
const refusedStatuses = [400, 401, 403];

/** The first match counts: for a missing subscription AWS also says what one is not authorized to perform. */
const rows: readonly Row[] = [
  {
    kind: "access",
    code: "model_access_refused",
    statuses: refusedStatuses,
    said: /access to the model|model access is denied|aws-marketplace:/i,
    finding: (place) => `this AWS account has no access to the model at ${place}`,
    remedy: "enable the model under Model access in the console of Amazon Bedrock, or choose another one",
  },
  {
    kind: "permission",
    code: "model_access_refused",
    statuses: refusedStatuses,
    // The code comes before the message, and is used if the message names no action.
    said: /not authorized to perform:? (bedrock(?:-mantle)?:\w{1,64})|not authorized|\baccess_?denied(?!.*not authorized)/i,
    finding: (place, [, action]) =>
      `the processor's role may not ${action === undefined ? "ask this" : `perform ${action}`} at ${place}`,
    remedy:
      "deploy again, so that the role's policy names the models of the settings; if it does, a policy of the organization or a boundary refuses it",
  },
  {
    kind: "signature",
    code: "model_access_refused",
    statuses: refusedStatuses,
    said: /signature|security token|credential should be scoped|authentication token/i,
    finding: (place) => `${place} does not accept how requests are signed`,
    remedy:
      "check inference.endpoint and inference.region; credentials that have just run out are replaced by themselves",
  },
  {
    kind: "model",
    code: "model_rejected",
    statuses: [400, 404],
    said: /model_not_found|model identifier is invalid|supported on this route|on-demand throughput|model\b.{0,120}\b(?:does not exist|not found|not available)/i,
    finding: (place) => `${place} does not offer the model`,
    remedy:
      "set inference.region to a region that its model card names, or choose a model that is offered here (inference.model)",
  },
];

/** AWS's messages are shorter; longer ones are cut. */
const longestSentence = 2_000;

/** `undefined`: the request did not go to Bedrock, or the error is not specific to it. */
export function bedrockRefusal(failure: ProviderFailure): BedrockRefusal | undefined {
  const { place, status = 0, code = "", type = "", message = "" } = failure;
  if (place === undefined) return undefined;
  const sentence = `${code} ${type} ${message}`.slice(0, longestSentence);
  for (const { statuses, said, finding, ...row } of rows) {
    const match = statuses.includes(status) ? said.exec(sentence) : null;
    if (match) return { ...row, finding: finding(place, match) };
  }
  return undefined;
}
