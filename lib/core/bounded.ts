import * as z from "zod";

/** Times from outside are not taken for true beyond this, either way from now. */
const nearMs = 86_400_000;

/** Bytes of an id as UTF-8: it goes into a row, and into keys of at most 1,024 bytes. */
const longestId = 512;

/** Of one answer's JSON: the longest context and the longest turn of a model are far below. */
export const longestAnswerBytes = 8 * 1024 * 1024;

/** Objects, lists and fields in one answer's JSON: `{}` takes twenty times its text in memory. */
const mostParts = 1_000_000;

/** How many objects, lists and fields a JSON text can have at most: what its strings hold is counted too. */
export function partsIn(json: string): number {
  let parts = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (unit === openBrace || unit === openBracket || unit === colon) parts++;
  }
  return parts;
}

const [openBrace, openBracket, colon] = [0x7b, 0x5b, 0x3a];

/** Whether JSON of this size can be parsed in the memory of a function. */
export const fitsMemory = (chars: number, parts: number): boolean =>
  chars <= longestAnswerBytes && parts <= mostParts;

/** An id from outside that can be kept, sent back and put into an address. */
export const idSchema = z
  .string()
  .min(1)
  .refine((id) => id.isWellFormed() && Buffer.byteLength(id) <= longestId, {
    error: `Too big: expected at most ${longestId} bytes`,
  })
  .refine((id) => id !== "." && id !== "..", { error: "A step in an address is no id" });

/** Checks no item of a list that is too long: a million wrong ones make gigabytes of complaints. */
export const boundedList = <T extends z.ZodType>(item: T, max: number) =>
  z.array(z.unknown()).max(max).pipe(z.array(item));

/** A time from outside as epoch ms: a number, its digits, or an ISO 8601 time. `undefined`: it is none of these. */
export function epochMs(value: unknown): number | undefined {
  const ms = typeof value === "string" ? msInText(value) : value;
  return typeof ms === "number" && Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

function msInText(text: string): number {
  if (text.length > 40) return Number.NaN;
  if (/^\d+$/.test(text)) return Number(text);
  return /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
}

/** `undefined` for what lies more than a day ahead. */
export const pastTime = (ms: number | undefined, nowMs: number): number | undefined =>
  ms !== undefined && ms <= nowMs + nearMs ? ms : undefined;

/** `undefined` for what lies more than a day from now: in another unit, or made up. */
export const nearTime = (ms: number | undefined, nowMs: number): number | undefined =>
  ms !== undefined && Math.abs(ms - nowMs) <= nearMs ? ms : undefined;
