import * as z from "zod";
import type { Settings } from "../infra/settings.ts";
import { withTimeLimit } from "../lib/core/clock.ts";
import { userAgent } from "../lib/adapters/http.ts";
import type { Secret } from "../lib/core/secret.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";
import { parseJson } from "../lib/core/json.ts";

/** The OpenAI SDK's default. */
const openAiUrl = "https://api.openai.com/v1";
const limitMs = 10_000;

/**
 * The provider's answer about a key and a model:
 * - available: the key may use the model. `shutdownDate` is YYYY-MM-DD; absent: none is announced, or the
 *   provider does not say.
 * - refused: the key is not accepted.
 * - unseen: the key is accepted, but has no access to such a model.
 * - untold: the key is accepted, but may not read about models.
 */
export type ModelAnswer =
  | { readonly kind: "available"; readonly shutdownDate: string | undefined }
  | { readonly kind: "refused" | "unseen" | "untold" };

const answers: Readonly<Record<number, ModelAnswer>> = {
  401: { kind: "refused" },
  403: { kind: "untold" },
  404: { kind: "unseen" },
};

/** https://developers.openai.com/api/reference/resources/models; openai 7.55, resources/models.d.ts */
const modelSchema = z.looseObject({ shutdown_date: z.string().nullish().catch(undefined) });

/**
 * Asks the provider about one model. This is free and generates nothing.
 * @throws CliError `check_failed` if there is no answer, or an unexpected one
 */
export async function askModel(
  { fetch, clock, signal }: Context,
  { inference: { baseUrl = openAiUrl, model } }: Settings,
  key: Secret,
): Promise<ModelAnswer> {
  const url = `${baseUrl}/models/${encodeURIComponent(model)}`;
  const headers = { authorization: `Bearer ${key.reveal()}`, "user-agent": userAgent };
  const limit = { clock, limitMs, signal, what: "asking the model's provider" };
  return withTimeLimit(limit, async (inner) => {
    const response = await fetch(url, { headers, signal: inner });
    const text = await response.text();
    if (!response.ok) {
      const answer = answers[response.status];
      if (answer) return answer;
      throw failed(`at ${baseUrl} answered with HTTP ${response.status}`);
    }
    const { shutdown_date: date } = modelSchema.safeParse(parseJson(text)).data ?? {};
    return { kind: "available", shutdownDate: date?.slice(0, 10) } as const;
  }).catch((error: unknown) => {
    if (signal.aborted || error instanceof CliError) throw error;
    throw failed(`at ${baseUrl} cannot be reached`, error);
  });
}

const failed = (how: string, cause?: unknown): CliError =>
  new CliError("check_failed", `The model's provider ${how}.`, { cause });

export const providerUrl = ({ inference: { baseUrl = openAiUrl } }: Settings): string => baseUrl;

export const isOpenAi = ({ inference: { baseUrl } }: Settings): boolean =>
  baseUrl === undefined || baseUrl === openAiUrl;
