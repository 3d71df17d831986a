import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import { bedrockOf, type Bedrock } from "../../infra/settings.ts";
import { bedrockRefusal } from "../../lib/model/bedrock-errors.ts";
import { failureError } from "../../lib/model/provider-errors.ts";
import { oneWord, roundShape } from "../model-request.ts";
import type { Stack } from "../stack.ts";
import type { Check, Facts, Finding } from "./check.ts";

/**
 * Sends one request like a job's to the model, and a short one to the model for summaries. No free call
 * answers the same question: mantle's list of models does not show access, and runtime has no list. The
 * requests use the user's own credentials; the policy of the processor's role is in the template.
 */
export const bedrockChecks: readonly Check[] = [
  {
    id: "model-access",
    title: "Model access at Bedrock",
    needs: ["stack"],
    run: async (facts) => {
      const stack = await facts.stack();
      const bedrock = bedrockOf(stack.settings);
      if (bedrock === undefined) return [];
      const { model, summaryModel } = stack.settings.inference;
      const models = [...new Set([model, summaryModel])];
      const bodyFor = (name: string) => (name === model ? roundShape(stack.settings) : oneWord(name));
      return Promise.all(
        models.map((name) => judgeAccess(facts, stack, { ...bedrock, model: name, body: bodyFor(name) })),
      );
    },
  },
];

type Asked = Bedrock & {
  readonly model: string;
  readonly body: ResponseCreateParamsNonStreaming;
};

async function judgeAccess(
  facts: Facts,
  stack: Stack,
  { endpoint, model, body, ...given }: Asked,
): Promise<Finding> {
  const region = given.region ?? regionOf(stack);
  const { bedrock } = await facts.context.aws();
  const failure = await bedrock.ask({ endpoint, region, body });
  if (failure === undefined) {
    const finding = `${model} answers at the ${endpoint} endpoint in ${region} (asked for 16 tokens, which cost almost nothing)`;
    return { outcome: "ok", finding };
  }
  const refusal = bedrockRefusal(failure);
  if (refusal === undefined) throw failureError(failure);
  const { kind, finding, remedy } = refusal;
  if (kind === "permission") return asOneself(finding, model, facts.context.commandLine("jobs"));
  return { outcome: "fail", finding: `${model}: ${finding}`, remedy: `${capital(remedy)}.` };
}

/** Says that a finding is about the user's own credentials, not the processor's role. */
const asOneself = (finding: string, model: string, jobs: string): Finding => ({
  outcome: "warn",
  finding: `${model}: ${finding.replace("the processor's role", "your own identity")}; whether the processor's role may is not known`,
  remedy: `Use credentials with this permission (--profile), or look at the reasons of failed jobs: ${jobs}. A deploy gives the role its permissions.`,
});

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The stack's region, from the ARN of a secret that every pool has. */
const regionOf = ({ pools }: Stack): string => pools[0]?.output("KeysSecret").split(":")[3] ?? "";
