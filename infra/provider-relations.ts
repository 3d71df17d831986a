import { type GenerationMode, type BedrockEndpoint, isOpenWeight } from "../lib/core/options.ts";
import type { Problem } from "./problems.ts";
import type { providers } from "./inference-schema.ts";

interface ProviderChoices {
  readonly provider: (typeof providers)[number];
  readonly endpoint?: BedrockEndpoint | undefined;
  readonly mode: GenerationMode;
  readonly model: string;
  readonly summaryModel?: string | undefined;
  readonly [name: string]: unknown;
}

/** Settings for one provider only, and why they do nothing with the other. */
const foreign: Readonly<Record<ProviderChoices["provider"], Readonly<Record<string, string>>>> = {
  openai: {
    endpoint: "chooses between the endpoints of Amazon Bedrock",
    region: "is the region of Amazon Bedrock",
  },
  bedrock: {
    baseUrl: "is the address of another Responses server, but Bedrock's follows from its endpoint and region",
    keySecretArn:
      "is the secret of a model key, but Bedrock needs none: requests are signed by the processor's role",
    keySecretKmsKeyArn:
      "is the KMS key of a model key's secret, but Bedrock needs none: requests are signed by the processor's role",
    workloadIdentity:
      "takes the place of a model key, but Bedrock needs none: requests are signed by the processor's role",
  },
};

/** Reports settings of the other provider, which would have no effect without anybody noticing. */
export function brokenProviderRelations(given: ProviderChoices, isFips: boolean): readonly Problem[] {
  const strangers = Object.entries(foreign[given.provider])
    .filter(([name]) => given[name] !== undefined)
    .map(([name, why]) => {
      const other = given.provider === "openai" ? "bedrock" : "openai";
      const sentence = `${why}. Leave it out, or set inference.provider to "${other}".`;
      return { path: `inference.${name}`, sentence };
    });
  if (given.provider === "openai") return strangers;
  const { endpoint = "mantle" } = given;
  const fips = isFips && endpoint === "mantle" ? [{ path: "endpoints.fips", sentence: noFips }] : [];
  return [...strangers, ...brokenBedrock({ ...given, endpoint }), ...fips];
}

function brokenBedrock({
  endpoint,
  ...given
}: ProviderChoices & { readonly endpoint: BedrockEndpoint }): readonly Problem[] {
  const names = ["model", "summaryModel"] as const;
  const wrong = names.flatMap((name) => {
    const model = given[name];
    const sentence = model === undefined ? undefined : wrongModelName(endpoint, model);
    return sentence === undefined ? [] : [{ path: `inference.${name}`, sentence }];
  });
  const { model, summaryModel = model } = given;
  if (wrong.length === 0 && endpoint === "mantle" && isOpenWeight(model) !== isOpenWeight(summaryModel))
    wrong.push({ path: "inference.summaryModel", sentence: otherPath });
  if (endpoint === "runtime" && given.mode === "background")
    wrong.push({ path: "inference.mode", sentence: synchronous });
  return wrong;
}

/** The problem with a model's name; `undefined`: none. */
export const wrongModelName = (endpoint: BedrockEndpoint, model: string): string | undefined =>
  modelNames[endpoint].test(model) ? undefined : `"${model}" ${modelHints[endpoint]}`;

/**
 * mantle takes a model; runtime takes an inference profile: a model with a prefix for the regions in which it
 * may run.
 */
const modelNames: Readonly<Record<BedrockEndpoint, RegExp>> = {
  mantle: /^openai\.[\w.-]+$/,
  runtime: /^[a-z]+(?:-[a-z]+)?\.openai\.[\w.-]+$/,
};

const modelHints: Readonly<Record<BedrockEndpoint, string>> = {
  mantle:
    "is not the name of an OpenAI model at Bedrock's mantle endpoint. Give a name like openai.gpt-6-luna, without a geography prefix.",
  runtime:
    "is not the name of an OpenAI model at Bedrock's runtime endpoint. Give an inference profile like us.openai.gpt-6-luna, or global.openai.gpt-6-luna if requests may be answered anywhere.",
};

const otherPath =
  "openai.gpt-oss models and the others are served at different paths of Bedrock's mantle endpoint. Choose both models from one of the two groups.";
const noFips =
  'is true, but Bedrock\'s mantle endpoint has no such address. Set inference.endpoint to "runtime", or endpoints.fips to false.';
const synchronous =
  'is "background", but Bedrock\'s runtime endpoint does not support background mode. Give "auto" or "streaming", or set inference.endpoint to "mantle".';
