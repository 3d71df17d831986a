import type { IncomingHttpHeaders } from "node:http";
import { ServiceError } from "../cloud/errors.ts";
import { checkSignature, type Credentials } from "../cloud/signature.ts";
import { isObject } from "./fit.ts";
import { ApiError } from "./wire.ts";
import { parseJson } from "../../lib/core/json.ts";

/** Makes the offline model act as one of Amazon Bedrock's two endpoints. */
export interface BedrockOptions {
  readonly endpoint: "mantle" | "runtime";
  /** The region that requests must be signed for. */
  readonly region: string;
  /**
   * The accepted credentials. Read for each request, because they may be created after the model has started.
   */
  readonly credentials: () => Credentials | undefined;
  /** The models that exist in this region. */
  readonly models: readonly string[];
  /** The models that the account has access to. Default: all. */
  readonly granted?: readonly string[];
  /** Actions that the caller may not perform: `bedrock:InvokeModel`. */
  readonly denied?: readonly string[];
}

export interface BedrockRequest {
  readonly method: string;
  /** The path with its query, as it was received. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const services = { mantle: "bedrock-mantle", runtime: "bedrock" } as const;
const account = "000000000000";

/**
 * Accepts a request that Bedrock would accept: signed for this endpoint and region, by a caller with
 * permission, and for a model that exists and is granted.
 * @throws ApiError with Bedrock's error
 */
export function admit(options: BedrockOptions, request: BedrockRequest, nowMs: number): void {
  const { endpoint, region } = options;
  const credentials = options.credentials();
  if (credentials === undefined) throw new ApiError(503, "The service has not started yet.");
  const scope = { region, service: services[endpoint] };
  try {
    checkSignature(request, { credentials, nowMs, isQuery: false, scope });
  } catch (error) {
    throw error instanceof ServiceError ? new AwsRefusal(endpoint, error.type, error.message) : error;
  }
  const action = actionOf(endpoint, request);
  if (options.denied?.includes(action) === true) throw denied(options, action);
  const body = request.method === "POST" ? parseJson(request.body) : undefined;
  if (!isObject(body) || request.target.endsWith("/cancel")) return;
  checkModel(options, String(body["model"]));
  if (endpoint === "runtime" && body["background"] === true)
    throw new ApiError(400, "The background parameter is not supported", { param: "background" });
}

function checkModel({ endpoint, models, granted = models }: BedrockOptions, model: string): void {
  if (!models.includes(model)) {
    if (endpoint === "runtime") throw new ApiError(400, "The provided model identifier is invalid.");
    throw new ApiError(404, `The model '${model}' does not exist`, { code: "model_not_found" });
  }
  if (granted.includes(model)) return;
  const sentence = "You don't have access to the model with the specified model ID.";
  throw new AwsRefusal(endpoint, "AccessDeniedException", sentence);
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html, list_amazonbedrock.html */
const actions = {
  mantle: ["bedrock-mantle:GetInference", "bedrock-mantle:CancelInference", "bedrock-mantle:CreateInference"],
  runtime: ["bedrock:GetInvoke", "bedrock:CancelInvoke", "bedrock:InvokeModel"],
} as const;

function actionOf(endpoint: BedrockOptions["endpoint"], { method, target }: BedrockRequest): string {
  const [get, cancel, create] = actions[endpoint];
  if (method === "GET") return get;
  return target.endsWith("/cancel") ? cancel : create;
}

function denied({ endpoint, region }: BedrockOptions, action: string): ApiError {
  const user = `arn:aws:sts::${account}:assumed-role/processor/local`;
  const resource = `arn:aws:${services[endpoint]}:${region}:${account}:project/default`;
  const sentence = `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  return new AwsRefusal(endpoint, "AccessDeniedException", sentence);
}

/** An error of AWS. mantle returns it in OpenAI's format, runtime in AWS's. */
class AwsRefusal extends ApiError {
  readonly #isWrapped: boolean;

  constructor(endpoint: BedrockOptions["endpoint"], type: string, message: string) {
    const code = type === "AccessDeniedException" ? "access_denied" : type;
    super(403, message, { code });
    this.#isWrapped = endpoint === "mantle";
  }

  override body(): unknown {
    const { message, code } = this;
    if (!this.#isWrapped) return { message };
    return { error: { code, message, param: null, type: "permission_denied_error" } };
  }
}
