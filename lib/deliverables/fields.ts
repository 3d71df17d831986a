import * as z from "zod";
import { limits } from "./limits.ts";

/** The zod pieces that several deliverables share. Descriptions are words for the model; caps are added to them by json-schema.ts. */

const tokenPattern = /^[A-Za-z0-9_-]+$/;
/** Braces cannot stand in a placeholder, and it is trimmed. */
const idPattern = /^(?!\s)[^{}\r\n]+(?<!\s)$/;

/** Text that must say something. */
export const text = (maxChars: number): z.ZodString =>
  z.string().max(maxChars).regex(/\S/, "must not be blank");

/** An id of letters, digits, `_` and `-`. */
export const token = (maxChars: number): z.ZodString =>
  z.string().max(maxChars).regex(tokenPattern, "must consist of letters, digits, _ and - only");

export const freeId = z
  .string()
  .max(limits.idChars)
  .regex(idPattern, "must be one line without braces and without spaces at its ends")
  .describe("Unique id, used in the placeholder.");

export const tokenId = token(limits.idChars).describe(
  "Unique id of letters, digits, _ and -, used in the placeholder.",
);

export const title = z.string().max(limits.titleChars).exactOptional().describe("Headline.");
