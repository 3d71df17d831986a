import { describe, expect, it } from "vitest";
import { failureError, type ProviderFailure } from "../../../lib/model/provider-errors.ts";

const place = "Amazon Bedrock's mantle endpoint in us-east-1";
const errorOf = (failure: Partial<ProviderFailure>) => failureError({ isJson: true, place, ...failure });

const role =
  "User: arn:aws:sts::123456789012:assumed-role/Local-Role/x is not authorized to perform: bedrock-mantle:CreateInference on resource: arn:aws:bedrock-mantle:us-east-1:123456789012:project/default because no identity-based policy allows the bedrock-mantle:CreateInference action";
const subscription =
  "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:Subscribe)";

const noAccess = `this AWS account has no access to the model at ${place}: enable the model under Model access in the console of Amazon Bedrock, or choose another one (HTTP 403)`;
const notOffered = `${place} does not offer the model: set inference.region to a region that its model card names, or choose a model that is offered here (inference.model)`;

describe("an error from Amazon Bedrock", () => {
  it.each([
    [
      "the role's policy lacks the action",
      { status: 401, code: "access_denied", message: role },
      "model_access_refused",
      `the processor's role may not perform bedrock-mantle:CreateInference at ${place}: deploy again, so that the role's policy names the models of the settings; if it does, a policy of the organization or a boundary refuses it (HTTP 401, code access_denied)`,
    ],
    [
      "the account has no access to the model",
      { status: 403, message: "You don't have access to the model with the specified model ID." },
      "model_access_refused",
      noAccess,
    ],
    ["the subscription is missing", { status: 403, message: subscription }, "model_access_refused", noAccess],
    [
      "the signature is for another region",
      { status: 403, message: "Credential should be scoped to a valid region." },
      "model_access_refused",
      `${place} does not accept how requests are signed: check inference.endpoint and inference.region; credentials that have just run out are replaced by themselves (HTTP 403)`,
    ],
    [
      "mantle does not offer the model in the region",
      { status: 404, code: "model_not_found", message: "The model 'openai.gpt-6-luna' does not exist" },
      "model_rejected",
      `${notOffered} (HTTP 404, code model_not_found)`,
    ],
    [
      "runtime does not offer the model in the region",
      { status: 400, message: "The provided model identifier is invalid." },
      "model_rejected",
      `${notOffered} (HTTP 400)`,
    ],
  ])("explains what to do when %s", (_, failure, code, message) => {
    expect(errorOf(failure)).toMatchObject({ code, message, retryable: false });
  });

  it("contains no account, role or ARN, since the job's user reads it", () => {
    expect(errorOf({ status: 403, message: role }).message).not.toMatch(/arn:|\d{12}|Local-Role/);
  });
});

it("a throttled Bedrock request is retryable", () => {
  const error = errorOf({ status: 429, message: "Too many requests" });
  expect(error).toMatchObject({ code: "model_unavailable", retryable: true });
});

it("a 403 for a stored response is reported as a missing response", () => {
  const { code } = errorOf({ status: 403, isForStored: true, message: role });
  expect(code).toBe("model_previous_response_missing");
});

it("a 403 from another provider gets the generic message", () => {
  expect(errorOf({ place: undefined, status: 403, message: "access denied" }).message).toBe(
    "the model's provider refused the key for this: access denied (HTTP 403)",
  );
});
