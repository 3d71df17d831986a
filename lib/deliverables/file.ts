import * as z from "zod";
import { capped, text, limits } from "./fields.ts";
import { preview } from "./problems.ts";
import { defineTool } from "./tool.ts";

const caps = limits.file;
const segmentPattern = /^[A-Za-z0-9._-]+$/;

export const fileTool = defineTool({
  name: "create_file",
  kind: "file",
  payloadKey: "files",
  idField: "name",
  makes: "file",
  caps: `\`.md\` or \`.txt\`, ${caps.chars} characters, relative path of at most ${caps.folders} folders, segments of ${caps.segmentChars} characters`,
  description: "Makes a text file to download: a document that stands on its own.",
  schema: z.strictObject({
    name: capped(caps.nameChars)
      .min(1)
      .superRefine(checkName)
      .describe(
        `Relative path such as "specs/api.md", ending in .md or .txt, at most ${caps.folders} folders; letters, digits, . _ and - in segments of at most ${caps.segmentChars} characters.`,
      ),
    content: text(caps.chars).describe("The whole text."),
  }),
});

interface NameRule {
  readonly broken: (name: string, segments: readonly string[]) => boolean;
  readonly message: string;
}

/** A name that passes every rule cannot leave its folder. */
const nameRules: readonly NameRule[] = [
  { broken: (name) => name.includes("\\"), message: "must use / between folders, not a backslash" },
  { broken: (name) => name.startsWith("/"), message: "must be relative, without a / at its start" },
  { broken: (name) => name.includes(".."), message: "must not contain .." },
  {
    broken: (_, segments) => segments.length > caps.folders + 1,
    message: `must have at most ${caps.folders} folders`,
  },
  {
    broken: (_, segments) => segments.some((segment) => !segmentPattern.test(segment) || segment === "."),
    message: "must have segments of letters, digits, . _ and - only, none of them empty or .",
  },
  {
    broken: (_, segments) => segments.some((segment) => segment.length > caps.segmentChars),
    message: `must have segments of at most ${caps.segmentChars} characters`,
  },
  { broken: (name) => !/[^/]\.(?:md|txt)$/i.test(name), message: "must end in .md or .txt" },
];

function checkName(name: string, context: z.RefinementCtx): void {
  const segments = name.split("/");
  for (const rule of nameRules) {
    if (!rule.broken(name, segments)) continue;
    context.addIssue({ code: "custom", message: `${preview(name)} given, ${rule.message}` });
  }
}
