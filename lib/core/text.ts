/** The first `max` UTF-16 units of a text, never half of a character. */
export function keepHead(text: string, max: number): string {
  if (text.length <= max) return text;
  return text.slice(0, isLowSurrogate(text, max) ? max - 1 : max);
}

/** Foreign text in one line that is safe for a terminal; empty if it is blank. */
export const oneLine = (text: string, max: number): string =>
  keepHead(printable(keepHead(text.trim(), max)), max);

/** The last `max` UTF-16 units of a text, never half of a character. */
export function keepTail(text: string, max: number): string {
  if (text.length <= max) return text;
  const start = text.length - max;
  return text.slice(isLowSurrogate(text, start) ? start + 1 : start);
}

/** "it failed" → "It failed." */
export const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/**
 * Characters that control a terminal (C0, DEL and C1) or change the order in which text is shown (bidi
 * embeddings, overrides and isolates). Zero-width characters are allowed: emoji and several scripts need
 * them, and they are harmless.
 */
const unprintable = /(?!\n)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

const blank = /\r\n|[\t-\r\u0085\u2028\u2029]/g;

/** Foreign text, made safe for a terminal: unprintable characters are shown as JSON escapes. Keeps line breaks. */
export const printableLines = (text: string): string =>
  text.replaceAll(unprintable, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The same in one line. */
export const printable = (text: string): string => printableLines(text.replaceAll(blank, " "));
