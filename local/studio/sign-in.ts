import { type Answer, json } from "./http.ts";
import type { StudioPorts } from "./ports.ts";

/** The credentials with which an account's owner signs in, in Firebase's terms. */
export interface AccountCredentials {
  readonly apiKey: string;
  readonly refreshToken: string;
}

export interface SignInRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  /** The form. */
  readonly text: string;
}

export const signInPath = "/v1/token";
const validSeconds = 3_600;

const refuse = (status: number, message: string): Answer =>
  json(status, { error: { code: status, message } });

/**
 * Answers like Firebase's securetoken service
 * (https://firebase.google.com/docs/reference/rest/auth#section-refresh-token).
 */
export function answerSignIn(
  { credentials, accountToken }: Pick<StudioPorts, "credentials" | "accountToken">,
  { method, query, text }: SignInRequest,
): Answer {
  const { apiKey, refreshToken } = credentials;
  if (method !== "POST") return refuse(404, "NOT_FOUND");
  if (query.get("key") !== apiKey) return refuse(400, "API_KEY_INVALID");
  const form = new URLSearchParams(text);
  if (form.get("grant_type") !== "refresh_token") return refuse(400, "INVALID_GRANT_TYPE");
  if (form.get("refresh_token") !== refreshToken) return refuse(400, "INVALID_REFRESH_TOKEN");
  return json(200, {
    access_token: accountToken,
    id_token: accountToken,
    refresh_token: refreshToken,
    expires_in: String(validSeconds),
    token_type: "Bearer",
    user_id: "local-user",
    project_id: "local-studio",
  });
}
