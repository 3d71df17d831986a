import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import { ApiError, newId } from "./wire.ts";

/** Issues tokens that replace keys, like OpenAI's workload identity federation. */
export interface Identities {
  /** @throws ApiError 400 that says what is wrong */
  exchange(body: unknown): object;
  /** Whether this server issued the token and it is still valid. */
  knows(token: string): boolean;
}

export const exchangePath = "/oauth/token";

/** https://developers.openai.com/api/reference/workload-identity-federation */
const requestSchema = z.object({
  grant_type: z.literal("urn:ietf:params:oauth:grant-type:token-exchange"),
  subject_token_type: z.enum([
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
  ]),
  subject_token: z.string().min(1),
  identity_provider_id: z.string().min(1),
  service_account_id: z.string().min(1),
});

const validSeconds = 3_600;

export function createIdentities(clock: Clock): Identities {
  const endsAtMs = new Map<string, number>();
  return {
    exchange(body) {
      const request = requestSchema.safeParse(body);
      if (!request.success)
        throw new ApiError(400, z.prettifyError(request.error), { code: "invalid_request" });
      const token = newId("token");
      endsAtMs.set(token, clock.now() + validSeconds * 1_000);
      return {
        access_token: token,
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: validSeconds,
      };
    },
    knows: (token) => clock.now() < (endsAtMs.get(token) ?? 0),
  };
}
