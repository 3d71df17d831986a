import type { ServiceError } from "../errors.ts";

/**
 * The query protocol of older services: form in, XML out.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export interface QueryRequest {
  readonly action: string;
  /** The form's fields. A list's members are in an array. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function parseQuery(body: string): QueryRequest {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of new URLSearchParams(body)) {
    const [, list] = /^(\w+)\.member\.\d+$/.exec(key) ?? [];
    const before = list === undefined ? undefined : fields[list];
    if (list === undefined) fields[key] = value;
    else fields[list] = Array.isArray(before) ? [...before, value] : [value];
  }
  const { Action: action } = fields;
  return { action: typeof action === "string" ? action : "", fields };
}

export function queryAnswer(action: string, answer: object, requestId: string): string {
  const result = `<${action}Result>${xmlOf(answer)}</${action}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${action}Response>${result}${metadata}</${action}Response>`;
}

export function queryError({ type, message, statusCode }: ServiceError, requestId: string): string {
  const side = statusCode >= 500 ? "Receiver" : "Sender";
  const error = xmlOf({ Type: side, Code: type, Message: message });
  return `<ErrorResponse><Error>${error}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

const xmlOf = (value: object): string =>
  Object.entries(value)
    .map(([name, item]) => `<${name}>${inner(item)}</${name}>`)
    .join("");

function inner(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<member>${inner(item)}</member>`).join("");
  if (typeof value === "object" && value !== null) return xmlOf(value);
  return escape(String(value));
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Control characters, newlines too, as references: a parser would fold them. */
const escape = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(/[&<>"]|[\t\n\r]/g, (found) => entities[found] ?? `&#${found.charCodeAt(0)};`);
