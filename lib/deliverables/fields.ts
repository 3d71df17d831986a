import * as z from "zod";

/**
 * Every cap of a deliverable (Studio API, Complete job). Lengths are UTF-16 code units, as Studio counts them. The
 * documentation does not give caps for `table.columnChars` and `file.nameChars`; the public runner silently cuts text at
 * these lengths, so longer text is refused.
 */
export const limits = {
  /** Maximum number of deliverables in one payload, by payload key. All six chart types share `charts`. */
  most: { files: 24, charts: 12, datasets: 8, svgs: 8, lists: 12, checklists: 8 },
  assistantMessageChars: 24_000,
  idChars: 64,
  titleChars: 200,
  labelChars: 128,
  seriesNameChars: 64,
  pie: { segments: 24 },
  seriesChart: { labels: 32, series: 8 },
  scatter: { series: 6, points: 48 },
  table: { columns: 12, columnChars: 64, rows: 80, cellChars: 512 },
  list: { items: 48, itemChars: 512 },
  checklist: { items: 64, labelChars: 320, itemIdChars: 48 },
  svg: { chars: 64_000 },
  file: { chars: 48_000, nameChars: 160, folders: 4, segmentChars: 48 },
} as const;

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
