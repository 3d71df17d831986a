import type { Settings } from "../../infra/settings.ts";
import { hasCode } from "../../lib/core/errors.ts";
import { failureError } from "../../lib/model/provider-errors.ts";
import { parseModelKey } from "../../lib/keys/secrets.ts";
import { insteadOfKey } from "../key-names.ts";
import { ask, openAiFor, roundShape } from "../model-request.ts";
import type { Check, Facts, Finding } from "./check.ts";

/**
 * Tries one request like a job's, because only the answer shows whether the model accepts every setting.
 * bedrock.ts does this for Bedrock.
 */
export const requestChecks: readonly Check[] = [
  { id: "model-request", title: "Model request", needs: ["stack"], run: judgeRequest },
];

async function judgeRequest({ context, stack, model }: Facts): Promise<Finding> {
  const deployed = await stack();
  const { settings } = deployed;
  if (insteadOfKey(settings) !== undefined) return { outcome: "skipped", finding: "no model key is stored" };
  const answer = await model().catch((error: unknown) => {
    if (hasCode(error, "secret_missing", "secret_malformed")) return undefined;
    throw error;
  });
  if (answer === undefined || answer.kind === "refused")
    return { outcome: "skipped", finding: "there is no key that the provider accepts" };
  const text = await (await context.secrets()).read(deployed.output("ModelKeySecret"));
  const openai = openAiFor(context, settings, parseModelKey(text, "model-key"));
  const failure = await ask(openai, roundShape(settings), "the model's provider did not answer");
  const { model: name, serviceTier: tier } = settings.inference;
  if (failure === undefined) {
    const finding = `${name} answers a job's request${described(settings)} (asked for 16 tokens, which cost almost nothing)`;
    return { outcome: "ok", finding };
  }
  const error = failureError({ ...failure, tier });
  if (hasCode(error, "model_no_capacity")) {
    const remedy = "Nothing to do: jobs wait for two minutes and then use the tier auto.";
    return { outcome: "warn", finding: error.message, remedy };
  }
  if (error.retryable) throw error;
  const remedy =
    "Change the setting that the finding names, or choose another model (inference.model), in cdk.json; then deploy.";
  return { outcome: "fail", finding: `${name}: ${error.message}`, remedy };
}

function described({ inference }: Settings): string {
  const { reasoningEffort, serviceTier, hostedTools } = inference;
  const parts = [
    reasoningEffort && `effort ${reasoningEffort}`,
    serviceTier && `tier ${serviceTier}`,
    ...(hostedTools ?? []),
  ].filter(Boolean);
  return parts.length === 0 ? "" : ` with ${parts.join(", ")}`;
}
