import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { parse } from "node:querystring";
import { ServiceError } from "./errors.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const newCredentials = (): Credentials => ({
  accessKeyId: `LOCAL${randomBytes(8).toString("hex").toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString("base64url"),
});

export interface SignedRequest {
  readonly method: string;
  /** The path with its query, as it was received. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SignatureCheck {
  readonly credentials: Credentials;
  readonly nowMs: number;
  /** The query protocol has other names for the same errors. */
  readonly isQuery: boolean;
  /** The region and service that the request must be signed for. Absent: those that it names itself. */
  readonly scope?: { readonly region: string; readonly service: string };
}

/** Error types in JSON and REST services, and in the query protocol. */
const refusals = {
  missing: ["MissingAuthenticationTokenException", "MissingAuthenticationToken"],
  incomplete: ["IncompleteSignatureException", "IncompleteSignature"],
  unknown: ["UnrecognizedClientException", "InvalidClientTokenId"],
  invalid: ["InvalidSignatureException", "SignatureDoesNotMatch"],
} as const;

const toleranceMs = 15 * 60_000;
const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;

/**
 * Verifies that a request is completely signed with Signature Version 4, with these credentials and the
 * present time.
 * @throws ServiceError with AWS's error
 */
export function checkSignature(request: SignedRequest, check: SignatureCheck): void {
  const refuse = (what: keyof typeof refusals, message: string): ServiceError => {
    const [type, queryType] = refusals[what];
    // JSON services refuse with 400, others with 403.
    const status = request.headers["x-amz-target"] === undefined ? 403 : 400;
    return new ServiceError(check.isQuery ? queryType : type, message, status);
  };
  const { authorization } = request.headers;
  if (authorization === undefined) throw refuse("missing", "Request is missing Authentication Token");
  const found = authorizationPattern.exec(authorization);
  if (found === null) throw refuse("incomplete", "The Authorization header is not a signature of version 4.");
  const [, accessKeyId, day = "", region = "", service = "", list = "", signature = ""] = found;
  if (accessKeyId !== check.credentials.accessKeyId)
    throw refuse("unknown", "The security token included in the request is invalid.");
  const { scope = { region, service } } = check;
  if (region !== scope.region)
    throw refuse("invalid", `Credential should be scoped to a valid region: '${scope.region}'.`);
  if (service !== scope.service)
    throw refuse("invalid", `Credential should be scoped to correct service: '${scope.service}'.`);
  const signed = signedHeaders(request.headers, list.split(";"));
  if (typeof signed === "string") throw refuse("invalid", signed);
  const dateMs = parseDate(String(request.headers["x-amz-date"]));
  // The signer would use this header instead of the body.
  const givenHash = request.headers["x-amz-content-sha256"];
  if (givenHash !== undefined && givenHash !== sha256(request.body))
    throw refuse("invalid", "The header x-amz-content-sha256 is not the hash of the body.");
  if (dateMs === undefined || dayOf(dateMs) !== day || Math.abs(check.nowMs - dateMs) > toleranceMs)
    throw refuse("invalid", "Signature expired, or from a clock that is more than 15 minutes off.");
  const expected = signatureOf(request, { ...check, signed, dateMs, region, service });
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) {
    const sentence = "The request signature we calculated does not match the signature you provided.";
    throw refuse("invalid", `${sentence} Check your AWS Secret Access Key and signing method.`);
  }
}

/** The signed headers, or what is wrong with them. The headers that a service relies on must be signed. */
function signedHeaders(
  headers: IncomingHttpHeaders,
  names: readonly string[],
): Readonly<Record<string, string>> | string {
  const needed = ["host", "x-amz-date", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  const unsigned = needed.find((name) => !names.includes(name));
  if (unsigned !== undefined) return `'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`;
  const signed: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value !== "string") return `The signed header '${name}' is not there.`;
    signed[name] = value;
  }
  return signed;
}

/** 20261120T191432Z as epoch milliseconds. */
function parseDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, ...rest] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");

interface Signing extends SignatureCheck {
  readonly signed: Readonly<Record<string, string>>;
  readonly dateMs: number;
  readonly region: string;
  readonly service: string;
}

/**
 * Computes the signature that the request should have. Does not use AWS's signer, because the callers do, and
 * then its bugs and misuse would go unnoticed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signatureOf({ method, target, body }: SignedRequest, signing: Signing): string {
  const { credentials, region, service, signed, dateMs } = signing;
  const [path = "", query = ""] = target.split("?", 2);
  const names = Object.keys(signed).toSorted();
  const canonical = [
    method,
    path.split("/").map(escaped).join("/"),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${signed[name]?.trim().replaceAll(/\s+/g, " ")}`),
    "",
    names.join(";"),
    sha256(body),
  ].join("\n");
  const time = new Date(dateMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = [dayOf(dateMs), region, service, "aws4_request"];
  const stringToSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(canonical)].join("\n");
  const key = scope.reduce<Buffer | string>(hmac, `AWS4${credentials.secretAccessKey}`);
  return hmac(key, stringToSign).toString("hex");
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Escapes as in RFC 3986. A path is already escaped when it arrives, and is escaped again. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const canonicalQuery = (query: string): string =>
  Object.entries(parse(query))
    .flatMap(([name, values = ""]) => [values].flat().map((value) => `${escaped(name)}=${escaped(value)}`))
    .toSorted()
    .join("&");
