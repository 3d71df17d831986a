import type { Clock } from "../lib/core/clock.ts";
import type { ProcessorConfig } from "../lib/core/config.ts";
import type { Log } from "../lib/core/log.ts";
import { timing } from "../lib/core/timing.ts";
import type { Http } from "../lib/adapters/http.ts";
import type { SecretSource } from "../lib/adapters/secrets-manager.ts";
import type { PacedProvider } from "../lib/attempt/paced-model.ts";
import { createSecretCache, parseModelKey } from "../lib/keys/secrets.ts";
import { createModelClient, type Credential } from "../lib/model/client.ts";
import type { ModelNote } from "../lib/model/exchange.ts";
import { createOpenAiModel, firstRequestMode } from "../lib/model/openai.ts";
import { costsBy } from "../lib/model/prices.ts";
import { bedrockCredential } from "./bedrock-credential.ts";

interface ModelProviderPorts {
  readonly http: Http;
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Makes the models of this process, each for one attempt. They share connections, the key and what the provider has refused. */
export function createModelProvider(
  config: ProcessorConfig,
  { http, secrets, clock, random }: ModelProviderPorts,
): (log: Log) => PacedProvider {
  const credential = bedrockCredential(config) ?? modelCredential(config, { secrets, clock });
  const client = createModelClient({ http, credential, baseUrl: config.OPENAI_BASE_URL });
  const { OPENAI_MODE: mode } = config;
  const options = { client, clock, random, mode, costOf: costsBy(config.RUNNER_PRICES, config.OPENAI_MODEL) };
  const sharedMode = firstRequestMode(mode);
  return (log) => (onRateLimited) =>
    createOpenAiModel({ ...options, onRateLimited, onEvent: (note) => logNote(log, note) }, sharedMode);
}

function logNote(log: Log, note: ModelNote): void {
  const reason = "code" in note ? note.code : undefined;
  if (note.kind !== "retry") return log.warn(note.kind, { reason });
  const { explanation, waitMs } = note;
  log.warn("call_retried", { what: "model", reason, explanation, waitMs });
}

/** A key from its secret, or tokens for the function's own identity. */
function modelCredential(
  config: ProcessorConfig,
  { secrets, clock }: Pick<ModelProviderPorts, "secrets" | "clock">,
): Credential {
  const secretId = config.OPENAI_KEY_SECRET;
  if (secretId !== undefined)
    return { apiKey: createSecretCache({ source: secrets, clock, secretId, parse: parseModelKey }) };
  const { OPENAI_IDENTITY_AUDIENCE: audience = "" } = config;
  let subjectToken: (() => Promise<string>) | undefined;
  return {
    identity: {
      identityProviderId: config.OPENAI_IDENTITY_PROVIDER ?? "",
      serviceAccountId: config.OPENAI_SERVICE_ACCOUNT ?? "",
      tokenUrl: config.OPENAI_TOKEN_URL,
      // The client of STS is loaded only if identities are used.
      subjectToken: async () => {
        subjectToken ??= (await import("../lib/adapters/sts.ts")).createSubjectTokens({
          audience,
          validSeconds: timing.subjectTokenSeconds,
        });
        return subjectToken();
      },
    },
  };
}
