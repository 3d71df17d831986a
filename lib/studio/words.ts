import { inspect } from "node:util";
import type { Redact } from "../core/redact.ts";

const longestWords = 300;
/** `cause`, unless it carries what must be redacted somewhere inside. */
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
 * What a body says about itself, for an error's sentence: the API's `error` and `detail`, or that it is an HTML page
 * and its title. Empty where there is nothing worth saying.
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

/** "an HTML page titled …" where `text` is one, else empty. */
export function pageWords(text: string, redact: Redact): string {
  if (!/^\s*<(?:!doctype|html|head|body)\b/i.test(text)) return "";
  // No tag is looked at twice: text of any length is read once.
  const title = fold(/<title[^<>]*>([^<]*)/i.exec(text)?.[1] ?? "", redact);
  return title === "" ? "an HTML page" : `an HTML page titled "${title}"`;
}

/** `undefined` (which JSON cannot say) where `text` is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
