import type { ErrorCode } from "../core/errors.ts";
import type { ProviderTrouble } from "./provider-trouble.ts";

/** A refusal of Amazon Bedrock: what it means, and what its operator can do. No account, role or request of AWS's words. */
export interface BedrockRefusal {
  readonly kind: "permission" | "access" | "signature" | "model";
  readonly code: ErrorCode;
  readonly finding: string;
  readonly remedy: string;
}

interface Row extends Pick<BedrockRefusal, "kind" | "code" | "remedy"> {
  readonly statuses: readonly number[];
  /** In AWS's words, or in a code of its own. */
  readonly said: RegExp;
  readonly finding: (place: string, said: RegExpExecArray) => string;
}

/** Seen with 401 as well as 403, and 400 for what the JSON services refuse. */
const refusedStatuses = [400, 401, 403];

/** The first that fits: AWS says of a missing subscription, too, what one is not authorized to perform. */
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
    // A code comes before the words, and is looked for where these name no action.
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

/** AWS's sentences are shorter; what is longer is not read to its end. */
const longestSentence = 2_000;

/** `undefined`: not asked at Bedrock, or nothing that is told of there alone. */
export function bedrockRefusal(trouble: ProviderTrouble): BedrockRefusal | undefined {
  const { place, status = 0, code = "", type = "", message = "" } = trouble;
  if (place === undefined) return undefined;
  const sentence = `${code} ${type} ${message}`.slice(0, longestSentence);
  for (const { statuses, said, finding, ...row } of rows) {
    const match = statuses.includes(status) ? said.exec(sentence) : null;
    if (match) return { ...row, finding: finding(place, match) };
  }
  return undefined;
}
