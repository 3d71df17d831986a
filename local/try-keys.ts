import { ask, oneWord, openAiFor } from "../cli/model-request.ts";
import type { Clock } from "../lib/core/clock.ts";
import { hasCode, RunnerError } from "../lib/core/errors.ts";
import { parseModelKey, parseRunnerKeys } from "../lib/keys/secrets.ts";
import { failureError, type ProviderFailure } from "../lib/model/provider-errors.ts";
import { refusedKeys } from "../lib/rotation/try-key.ts";
import { createStudio } from "../lib/studio/client.ts";
import type { LocalOptions, RealModel } from "./options.ts";

export interface TryPorts {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** A variable with the place where it was set: "OPENAI_API_KEY (from .env)". */
  readonly nameOf: (variable: string) => string;
}

/** A server on this machine may have to load the model first. */
const modelLimitMs = 60_000;

/**
 * Tries the keys of a real model and a real Studio, so that a bad one is found before any job is leased. Takes
 * no job; a model writes at most 16 tokens. A provider that is busy is no reason to stop.
 * @throws RunnerError `config_invalid` that names the variable and the address
 */
export async function tryKeys({ model, studio }: LocalOptions, ports: TryPorts): Promise<void> {
  await Promise.all([model && tryModel(model, ports), studio && tryStudio(studio, ports)]);
}

async function tryModel(model: RealModel, ports: TryPorts): Promise<void> {
  const { apiKey, baseUrl, name, summaryName } = model;
  const key = parseModelKey(apiKey, "OPENAI_API_KEY");
  const openai = openAiFor(ports, { inference: { baseUrl } }, key).withOptions({ timeout: modelLimitMs });
  const address = openai.baseURL;
  const at = baseUrl === undefined ? `OpenAI at ${address}` : `the server at ${address}`;
  const set = baseUrl === undefined ? "" : `${ports.nameOf("OPENAI_BASE_URL")}: `;
  const unreached = invalid(
    `${set}${at} cannot be reached, takes longer than ${modelLimitMs / 1_000} s, or is not a Responses API. Check the network and the address`,
  );
  const names = [
    { variable: "OPENAI_MODEL", model: name },
    ...(summaryName === name ? [] : [{ variable: "OPENAI_SUMMARY_MODEL", model: summaryName }]),
  ];
  for (const asked of names) {
    const failure = await ask(openai, oneWord(asked.model), unreached.message).catch((error: unknown) => {
      throw hasCode(error, "model_unavailable") ? unreached : error;
    });
    if (failure) refuseFailure(failure, { ...asked, at, nameOf: ports.nameOf });
  }
}

interface Asked extends Pick<TryPorts, "nameOf"> {
  readonly variable: string;
  readonly model: string;
  /** The server's name and address. */
  readonly at: string;
}

/** A busy provider may answer later; every other failure is one of the settings. @throws RunnerError `config_invalid` */
function refuseFailure(failure: ProviderFailure, { variable, model, at, nameOf }: Asked): void {
  const error = failureError(failure);
  if (error.retryable) return;
  const key = nameOf("OPENAI_API_KEY");
  const said = [failure.status === undefined ? [] : `HTTP ${failure.status}`, failure.code ?? []].flat();
  const answer = `(${said.join(", ")})`;
  if (hasCode(error, "model_key_refused"))
    throw invalid(`${key}: ${at} refuses it ${answer}. Set another key, or none for canned answers`);
  if (hasCode(error, "model_quota_exhausted")) throw invalid(`${key}: ${at}: ${error.message}`);
  if (hasCode(error, "model_contract"))
    throw invalid(`${nameOf("OPENAI_BASE_URL")}: ${at} is not a Responses API ${answer}`);
  if (failure.code === "model_not_found" || failure.status === 404)
    throw invalid(
      `${nameOf(variable)}: ${at} has no model "${model}" for this key ${answer}. Set ${variable} to another`,
    );
  throw invalid(`${nameOf(variable)}: ${at} does not answer for the model "${model}": ${error.message}`);
}

async function tryStudio(
  { baseUrl, runnerKeys }: NonNullable<LocalOptions["studio"]>,
  { fetch, clock, random, signal, nameOf }: TryPorts,
): Promise<void> {
  const studio = createStudio({ baseUrl, fetch, clock, random });
  const keys = parseRunnerKeys(runnerKeys, "RUNNER_TOKEN");
  const refused = await refusedKeys({ studio, clock, random }, keys, signal).catch((error: unknown) => {
    if (!hasCode(error, "studio_unavailable", "studio_contract")) throw error;
    throw invalid(`${nameOf("RUNNER_API_BASE")}: ${error.message}`);
  });
  if (refused.length === 0) return;
  throw invalid(`${nameOf("RUNNER_TOKEN")}: Studio at ${baseUrl} refuses the key ${refused.join(", ")}`);
}

const invalid = (sentence: string): RunnerError => new RunnerError("config_invalid", sentence);
