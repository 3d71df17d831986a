import * as z from "zod";

/** Times from outside are not taken for true beyond this, either way from now. */
const nearMs = 86_400_000;

/** Bytes of an id as UTF-8: it goes into a row, and into keys of at most 1,024 bytes. */
const longestId = 512;

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
