/**
 * What steers a terminal (C0, DEL and C1 control characters) or shows words in another order than they stand in (bidi
 * embeddings, overrides and isolates). Zero-width characters are none of these: emoji and several scripts are made with
 * them, and they change nothing but themselves.
 */
const unprintable = /(?!\n)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

const blank = /\r\n|[\t-\r\u0085\u2028\u2029]/g;

/** Text from outside over its own lines: what is unprintable is shown as JSON writes it, so that a reader sees that it was there. */
export const printableLines = (text: string): string =>
  text.replaceAll(unprintable, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The same in one line. */
export const printable = (text: string): string => printableLines(text.replaceAll(blank, " "));
