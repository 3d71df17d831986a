import type { Settings } from "../../infra/settings.ts";
import { withTimeLimit } from "../../lib/core/clock.ts";
import { attempt, problemOf } from "../attempt.ts";
import type { Context } from "../context.ts";
import { toCliError, type CliErrorCode } from "../errors.ts";
import type { ModelAnswer } from "../model.ts";
import type { PoolStatus } from "../pool-status.ts";
import type { Stack, StackPool } from "../stack.ts";

export const outcomes = ["ok", "warn", "fail", "skipped"] as const;
export type Outcome = (typeof outcomes)[number];

/** Never contains a secret's value or a part of one. */
export interface Finding {
  readonly outcome: Outcome;
  /** One sentence. */
  readonly finding: string;
  /** What to do, if anything. */
  readonly remedy?: string;
  /** The pool that the finding is about; absent: the whole stack. */
  readonly pool?: string;
}

/** What a check requires. */
export type Need = "settings" | "credentials" | "stack";

/** Data that several checks share, each read once. */
export interface Facts {
  readonly context: Context;
  /** The project's settings; with `--local`, those of the local stack. */
  readonly settings: () => Promise<Settings>;
  readonly credentials: () => Promise<{ readonly arn: string; readonly account: string }>;
  readonly stack: () => Promise<Stack>;
  /** The pools that `--pool` selects. */
  readonly pools: () => Promise<readonly StackPool[]>;
  readonly status: (pool: StackPool) => Promise<PoolStatus>;
  /** The provider's answer for the deployed model key; `undefined`: there is no key. */
  readonly model: () => Promise<ModelAnswer | undefined>;
}

export interface Check {
  /** Must not change, because scripts read it. */
  readonly id: string;
  readonly title: string;
  /** Also runs before a deploy. */
  readonly beforeDeploy?: true;
  /** Does not apply to the local stack. */
  readonly awsOnly?: true;
  readonly needs: readonly Need[];
  /** The outcome if the check cannot be carried out. Default: fail. */
  readonly unknown?: "warn";
  readonly run: (facts: Facts) => Promise<Finding | readonly Finding[]>;
}

export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
}

/** A check that runs for each pool. */
export function perPool(
  id: string,
  title: string,
  judge: (facts: Facts, pool: StackPool) => Finding | Promise<Finding>,
): Check {
  return {
    id,
    title,
    needs: ["stack"],
    run: async (facts) => {
      const pools = await facts.pools();
      return Promise.all(
        pools.map(async (pool) => ({ ...(await judge(aboutPool(facts, pool), pool)), pool: pool.name })),
      );
    },
  };
}

/** Commands in remedies name the pool if the stack has several. */
const aboutPool = (facts: Facts, pool: StackPool): Facts => ({
  ...facts,
  context: { ...facts.context, commandLine: (words) => facts.context.commandLine(words, pool) },
});

const limitMs = 20_000;

interface NeedRow {
  readonly have: (facts: Facts) => Promise<unknown>;
  /** A requirement to check first, so that its failure is reported instead of this one. */
  readonly after?: Need;
  readonly without: string;
}

/** The finding of checks that need the settings. The settings' own check says what is wrong with them. */
export const settingsUnread = "the settings cannot be read";

const needRows: Readonly<Record<Need, NeedRow>> = {
  settings: { have: (facts) => facts.settings(), without: settingsUnread },
  credentials: { have: (facts) => facts.credentials(), without: "the AWS credentials do not work" },
  stack: {
    have: (facts) => facts.stack(),
    after: "credentials",
    without: "no stack of this version is deployed",
  },
};

/** Runs all checks at once, each with its own time limit. Returns the results in the order of the checks. */
export async function runChecks(facts: Facts, checks: readonly Check[]): Promise<readonly CheckResult[]> {
  facts.context.terminal.progress(`Running ${checks.length} checks`);
  const results = await Promise.all(
    checks.map(async (check) => {
      const findings = await runCheck(facts, check);
      return findings.map((finding) => ({ id: check.id, title: check.title, ...finding }));
    }),
  );
  return results.flat();
}

async function runCheck(facts: Facts, check: Check): Promise<readonly Finding[]> {
  const { context } = facts;
  if (check.awsOnly && context.options.local)
    return [{ outcome: "skipped", finding: "not for the local stack" }];
  const { clock, signal } = context;
  const limit = { clock, limitMs, signal, what: `the check ${check.id}` };
  try {
    return await withTimeLimit(limit, async () => {
      const missing = await findMissing(facts, check.needs);
      if (missing !== undefined) return [{ outcome: "skipped", finding: missing }] as const;
      return [await check.run(facts)].flat();
    });
  } catch (error) {
    signal.throwIfAborted();
    return [{ outcome: check.unknown ?? "fail", ...describeError(error) }];
  }
}

/** Errors that are findings themselves. Any other error means that the check could not be carried out. */
const findings: readonly CliErrorCode[] = [
  "usage",
  "config_invalid",
  "no_credentials",
  "signature_refused",
  "not_deployed",
  "deploy_failed",
  "not_running",
  "version_skew",
  "refused",
];

function describeError(error: unknown): { readonly finding: string; readonly remedy?: string } {
  const { code, message, remedy } = toCliError(error);
  const finding = findings.includes(code) ? message : `could not be checked: ${message}`;
  return remedy === undefined ? { finding } : { finding, remedy };
}

async function findMissing(facts: Facts, needs: readonly Need[]): Promise<string | undefined> {
  for (const need of needs) {
    const { have, after, without } = needRows[need];
    const first = after === undefined ? undefined : await findMissing(facts, [after]);
    if (first !== undefined) return first;
    const problem = problemOf(await attempt(() => have(facts)));
    if (problem) return problem.code === "config_invalid" ? settingsUnread : without;
  }
  return undefined;
}
