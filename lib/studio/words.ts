import { inspect } from "node:util";
import type { Redact } from "../core/secret.ts";
import { parseJson } from "../core/json.ts";

const longestWords = 300;
/** `cause`, unless it contains the credential. */
export function cleanCause(cause: unknown, redact: Redact): unknown {
  const shown = inspect(cause, { depth: 10, maxStringLength: null });
  return redact(shown) === shown ? cause : undefined;
}

/** At most `length` UTF-16 units, never half of a surrogate pair. */
export function cut(text: string, length: number): string {
  return text.length <= length
    ? text.toWellFormed()
    : text
        .slice(0, length)
        .replace(/[\uD800-\uDBFF]$/, "")
        .toWellFormed();
}

/** One line of at most 300 characters without the credential. */
export function fold(text: string, redact: Redact): string {
  return cut(redact(text.replaceAll(/\s+/g, " ").trim()), longestWords);
}

/**
 * A body's message for an error: the API's `error` and `detail`, or that it is an HTML page
 * and its title. Empty if there is none.
 */
export function bodyWords(text: string, redact: Redact): string {
  const page = pageWords(text, redact);
  if (page !== "") return page;
  const body = parseJson(text);
  if (typeof body !== "object" || body === null) return "";
  const error = "error" in body ? wordOf(body.error) : "";
  const detail = "detail" in body ? wordOf(body.detail) : "";
  return fold([error, detail].filter((word) => word !== "").join(": "), redact);
}

/** "an HTML page titled …" if `text` is one, otherwise empty. */
export function pageWords(text: string, redact: Redact): string {
  if (!/^\s*<(?:!doctype|html|head|body)\b/i.test(text)) return "";
  // Linear: no tag is read twice.
  const title = fold(/<title[^<>]*>([^<]*)/i.exec(text)?.[1] ?? "", redact);
  return title === "" ? "an HTML page" : `an HTML page titled "${title}"`;
}

function wordOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value);
  } catch {
    return ""; // nested too deeply
  }
}
