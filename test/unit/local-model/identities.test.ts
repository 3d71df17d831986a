import { expect, it } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { runModel } from "./model-server.ts";

const request = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  subject_token: "from-aws",
  identity_provider_id: "idp_1",
  service_account_id: "svc_1",
};

async function startModel() {
  const clock = createFakeClock();
  const { model } = await runModel({ clock, keys: ["a-key"] });
  const exchange = (body: unknown) =>
    fetch(new URL("/oauth/token", model.url), { method: "POST", body: JSON.stringify(body) });
  const statusWith = async (token: string) =>
    (await fetch(`${model.url}/models`, { headers: { authorization: `Bearer ${token}` } })).status;
  return { clock, exchange, statusWith };
}

it("an identity token is exchanged for an access token that is valid for an hour", async () => {
  const { clock, exchange, statusWith } = await startModel();
  const answer = await exchange(request);
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { access_token: string };
  expect(body).toMatchObject({ token_type: "Bearer", expires_in: 3_600 });
  expect(await statusWith(body.access_token)).toBe(200);
  await clock.advance(3_600_000);
  expect(await statusWith(body.access_token)).toBe(401);
});

it("unknown access tokens and invalid exchange requests are rejected", async () => {
  const { exchange, statusWith } = await startModel();
  expect(await statusWith("token_made_up")).toBe(401);
  expect((await exchange({ ...request, subject_token: "" })).status).toBe(400);
  expect((await exchange({ ...request, grant_type: "refresh_token" })).status).toBe(400);
});
