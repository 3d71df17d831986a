import * as z from "zod";

/** A version as in package.json, optionally with a tag's `v` before it. */
export const versionSchema = z
  .string()
  .regex(/^v?\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/)
  .transform((text) => text.replace(/^v/, ""));

interface Version {
  readonly numbers: readonly number[];
  /** The pre-release part: `rc.1`. */
  readonly pre: string | undefined;
}

/** Above 0 if `a` is newer by semver's rules. Ignores build metadata. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  for (const [at, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.pre === right.pre) return 0;
  if (left.pre === undefined) return 1;
  if (right.pre === undefined) return -1;
  return comparePre(left.pre.split("."), right.pre.split("."));
}

function parse(text: string): Version {
  const [core = "", ...pre] = (text.split("+")[0] ?? "").split("-");
  return { numbers: core.split(".").map(Number), pre: pre.length > 0 ? pre.join("-") : undefined };
}

/**
 * Numbers are compared as numbers and come before words. If one list begins with the other, the longer is
 * newer.
 */
function comparePre(a: readonly string[], b: readonly string[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at];
    if (right === undefined) return 1;
    if (left !== right) return comparePart(left, right);
  }
  return a.length - b.length;
}

function comparePart(left: string, right: string): number {
  const [isNumber, otherIs] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isNumber && otherIs) return Number(left) - Number(right);
  if (isNumber !== otherIs) return isNumber ? -1 : 1;
  return left < right ? -1 : 1;
}
