import { expect, it } from "vitest";
import { answerSignIn } from "../../../local/studio/sign-in.ts";

const ports = { credentials: { apiKey: "web-key", refreshToken: "refresh" }, accountToken: "account" };

function ask({
  method = "POST",
  query = "key=web-key",
  text = "grant_type=refresh_token&refresh_token=refresh",
}) {
  const { status, body } = answerSignIn(ports, { method, query: new URLSearchParams(query), text });
  return { status, body: JSON.parse(String(body)) as unknown };
}

it("a refresh token is exchanged for the account's token", () => {
  expect(ask({})).toMatchObject({
    status: 200,
    body: { id_token: "account", refresh_token: "refresh", expires_in: "3600" },
  });
});

it.each([
  [{ method: "GET" }, 404, "NOT_FOUND"],
  [{ query: "key=other" }, 400, "API_KEY_INVALID"],
  [{ text: "grant_type=password" }, 400, "INVALID_GRANT_TYPE"],
  [{ text: "grant_type=refresh_token&refresh_token=old" }, 400, "INVALID_REFRESH_TOKEN"],
])("%j is rejected with Firebase's error", (request, status, message) => {
  expect(ask(request)).toEqual({ status, body: { error: { code: status, message } } });
});
