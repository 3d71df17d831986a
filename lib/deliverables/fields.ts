import * as z from "zod";
import { limits } from "./limits.ts";

/**
 * zod schemas that several deliverables share. Descriptions are read by the model; json-schema.ts adds the
 * caps to them.
 */

const tokenPattern = /^[A-Za-z0-9_-]+$/;
/** A placeholder cannot contain braces, and its id is trimmed. */
const idPattern = /^(?!\s)[^{}\r\n]+(?<!\s)$/;

/**
 * Text of at most `maxUnits` UTF-16 units, as Studio counts them. zod's own `max` counts code points, and
 * would allow twice as many emoji. `maxLength` is where json-schema.ts finds the cap.
 */
export const capped = (maxUnits: number): z.ZodString =>
  z
    .string()
    .meta({ maxLength: maxUnits })
    .check(({ value, issues }) => {
      if (value.length <= maxUnits) return;
      issues.push({ code: "too_big", origin: "string", maximum: maxUnits, input: value, continue: true });
    });

/** Text that must not be blank. */
export const text = (maxUnits: number): z.ZodString => capped(maxUnits).regex(/\S/, "must not be blank");

/** An id of letters, digits, `_` and `-`. */
export const token = (maxUnits: number): z.ZodString =>
  capped(maxUnits).regex(tokenPattern, "must consist of letters, digits, _ and - only");

export const freeId = capped(limits.idChars)
  .regex(idPattern, "must be one line without braces and without spaces at its ends")
  .describe("Unique id, used in the placeholder.");

export const tokenId = token(limits.idChars).describe(
  "Unique id of letters, digits, _ and -, used in the placeholder.",
);

export const title = capped(limits.titleChars).exactOptional().describe("Headline.");
