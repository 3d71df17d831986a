import type * as z from "zod";
import { nearest } from "./nearest.ts";
import { describeGiven, describeUnknown, secretLike } from "./secret-like.ts";

/** A problem with the settings: its place, and a sentence that says what to do. */
export interface Problem {
  readonly path: string;
  readonly sentence: string;
}

type Path = readonly PropertyKey[];

export const line = ({ path, sentence }: Problem): string => `  - ${path}: ${sentence}`;

/** `pools[0].processor.memoryMb`. The settings as a whole are `(settings)`. */
export function formatPath(path: Path): string {
  const text = path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${nameOf(step)}`))
    .join("")
    .replace(/^\./, "");
  return text === "" ? "(settings)" : text;
}

const nameOf = (step: PropertyKey): string =>
  secretLike(String(step)) === undefined ? String(step) : "(not shown)";

interface Context {
  readonly input: unknown;
  /** The allowed names at each place. `[]` stands for an item of a list, `.*` for any name. */
  readonly knownNames: Readonly<Record<string, readonly string[]>>;
}

export function describeIssues(issues: readonly z.core.$ZodIssue[], context: Context): readonly Problem[] {
  const problems = issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownName([...issue.path, key], context));
    const given = valueAt(context.input, issue.path);
    const what = given === undefined ? "missing" : `given ${describeGiven(given)}`;
    return [{ path: formatPath(issue.path), sentence: `${what}. ${issue.message}` }];
  });
  return distinct(problems);
}

/** Removes duplicates: one value can fail several checks that report the same. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const lines = problems.map(line);
  return problems.filter((problem, index) => lines.indexOf(line(problem)) === index);
}

/** Settings that had another name before version 0.2. */
const renamed: Readonly<Record<string, string>> = { pickup: "polling", ledgerTableArn: "runStoreTableArn" };

function unknownName(path: Path, { input, knownNames }: Context): Problem {
  const place = path.slice(0, -1);
  const known = knownNames[patternOf(place)] ?? knownNames[`${patternOf(place.slice(0, -1))}.*`] ?? [];
  const name = String(path.at(-1));
  const newName = renamed[name];
  if (newName !== undefined && known.includes(newName))
    return { path: formatPath(path), sentence: `is now called "${newName}". Rename it.` };
  const meant = nearest(name, known);
  const advice = meant === undefined ? `Allowed here: ${known.join(", ")}.` : `Did you mean "${meant}"?`;
  const given = describeUnknown(valueAt(input, path));
  return { path: formatPath(path), sentence: `unknown setting (given ${given}). ${advice}` };
}

const patternOf = (place: Path): string =>
  place
    .map((step) => (typeof step === "number" ? "[]" : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");

/** The value at the path; `undefined`: there is none. */
export function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined),
    input,
  );
}

const secretAdvice =
  "Keys must not be in settings, because they would end up in the template: " +
  "leave it out, and store the key in Secrets Manager with the command that the deploy prints.";

/** Finds names and values that look like secrets, anywhere in the input. The problems never show them. */
export function findSecrets(input: unknown, path: Path = []): readonly Problem[] {
  if (typeof input === "string") return secretProblem(input, path);
  if (typeof input !== "object" || input === null) return [];
  const entries: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(input)
    ? [...input.entries()]
    : Object.entries(input);
  return entries.flatMap(([step, value]) => [
    ...(typeof step === "string" ? secretProblem(step, [...path, step]) : []),
    ...findSecrets(value, [...path, step]),
  ]);
}

function secretProblem(text: string, path: Path): readonly Problem[] {
  const what = secretLike(text);
  return what === undefined
    ? []
    : [{ path: formatPath(path), sentence: `looks like ${what} (not shown). ${secretAdvice}` }];
}
