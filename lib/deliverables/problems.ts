import type * as z from "zod";
import { keepHead } from "../core/text.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const previewChars = 60;
const shownProblems = 8;

/**
 * Turns zod's issues into sentences that name the field, the given value and what is allowed. `given` is the
 * checked value.
 */
export function describeIssues(issues: readonly Issue[], given: unknown): readonly string[] {
  return issues.map((issue) => {
    const where = pathText(issue.path);
    const sentence = describe(issue, valueAt(given, issue.path));
    return where === "" ? sentence : `${where}: ${sentence}`;
  });
}

/** All problems in one line: the first eight in full, then the number of the others. */
export function joinProblems(problems: readonly string[]): string {
  const rest = problems.length - shownProblems;
  const shown = problems.slice(0, shownProblems).join("; ");
  return rest > 0 ? `${shown}; and ${rest} more problems` : shown;
}

/**
 * A value as an error may show it: a shortened scalar, or only the type of a structure, which may be huge or
 * very deep.
 */
export function preview(value: unknown): string {
  if (typeof value === "string") {
    return value.length > previewChars
      ? `${JSON.stringify(keepHead(value, previewChars))}… (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

export function unknownFields(names: readonly string[]): string {
  const rest = names.length - shownProblems;
  const shown = names.slice(0, shownProblems).map((name) => preview(name));
  return `unknown field ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function describe(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case "too_big":
      return `${amount(value)} given, at most ${issue.maximum}`;
    case "too_small":
      return `${amount(value)} given, at least ${issue.minimum}`;
    case "invalid_type":
      return `${givenWords(value)}, must be ${named(issue.expected)}`;
    case "invalid_value":
      return `${givenWords(value)}, must be ${issue.values.map((one) => preview(one)).join(" or ")}`;
    case "invalid_format":
      return `${preview(value)} ${issue.message}`;
    case "unrecognized_keys":
      return unknownFields(issue.keys);
    default:
      return issue.message;
  }
}

const givenWords = (value: unknown): string => (value === undefined ? "missing" : `${preview(value)} given`);

function amount(value: unknown): string {
  if (typeof value === "string") return `${value.length} characters`;
  return Array.isArray(value) ? `${value.length} items` : preview(value);
}

const kindsOfValue: Readonly<Record<string, string>> = {
  number: "a finite number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

const named = (expected: string): string => kindsOfValue[expected] ?? expected;

function pathText(path: Path): string {
  return path.reduce<string>((whole, part) => {
    if (typeof part === "number") return `${whole}[${part}]`;
    return whole === "" ? String(part) : `${whole}.${String(part)}`;
  }, "");
}

function valueAt(given: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? Reflect.get(value, part)
        : undefined,
    given,
  );
}
