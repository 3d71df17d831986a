import { basename } from "node:path";
import * as z from "zod";
import type { Exception } from "./exceptions.ts";

export interface Finding {
  readonly example: string;
  readonly rule: string;
  readonly resource: string;
  readonly message: string;
}

const lintSchema = z.array(
  z.object({
    Filename: z.string(),
    Message: z.string(),
    Rule: z.object({ Id: z.string() }),
    Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullable() }),
  }),
);

const checkovSchema = z.object({
  results: z.object({
    parsing_errors: z.array(z.string()),
    failed_checks: z.array(
      z.object({
        check_id: z.string(),
        check_name: z.string(),
        file_path: z.string(),
        resource: z.string(),
      }),
    ),
  }),
  summary: z.object({ passed: z.number() }),
});

const exampleOf = (file: string): string => basename(file, ".json");

/** Reads the report of `cfn-lint --format json`. */
export const readLint = (report: string): readonly Finding[] =>
  lintSchema.parse(JSON.parse(report)).map(({ Filename, Message, Rule, Location }) => ({
    example: exampleOf(Filename),
    rule: Rule.Id,
    resource: String(Location.Path?.[1] ?? ""),
    message: Message,
  }));

/**
 * Reads the report of `checkov --output json`.
 * @throws Error if checkov could not read a template
 */
export function readCheckov(report: string): {
  readonly passed: number;
  readonly findings: readonly Finding[];
} {
  const { results, summary } = checkovSchema.parse(JSON.parse(report));
  if (results.parsing_errors.length > 0)
    throw new Error(`checkov could not read ${results.parsing_errors.join(", ")}`);
  const findings = results.failed_checks.map(({ check_id, check_name, file_path, resource }) => ({
    example: exampleOf(file_path),
    rule: check_id,
    resource: resource.slice(resource.indexOf(".") + 1),
    message: check_name,
  }));
  return { passed: summary.passed, findings };
}

export interface Judgement {
  readonly unexplained: readonly Finding[];
  /** Each exception with the number of its findings, one at least. */
  readonly explained: readonly (Exception & { readonly count: number })[];
  /** Exceptions that nothing needs any more. */
  readonly unused: readonly Exception[];
}

export function judge(findings: readonly Finding[], exceptions: readonly Exception[]): Judgement {
  const covers = ({ rule, examples, resources }: Exception, finding: Finding): boolean =>
    rule === finding.rule &&
    (examples?.includes(finding.example) ?? true) &&
    (resources?.test(finding.resource) ?? true);
  const counted = exceptions.map((exception) => ({
    ...exception,
    count: findings.filter((finding) => covers(exception, finding)).length,
  }));
  return {
    unexplained: findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding))),
    explained: counted.filter(({ count }) => count > 0),
    unused: exceptions.filter((_, index) => counted[index]?.count === 0),
  };
}
