import type { Settings } from "../../infra/settings.ts";
import { withTimeLimit } from "../../lib/core/clock.ts";
import { attempt, problemOf } from "../attempt.ts";
import type { Context } from "../context.ts";
import { toCliError, type CliErrorCode } from "../errors.ts";
import type { ModelAnswer } from "../model.ts";
import type { PoolStatus } from "../pool-status.ts";
import type { Stack, StackPool } from "../stack.ts";

export const verdicts = ["ok", "warn", "fail", "skipped"] as const;
export type Verdict = (typeof verdicts)[number];

/** Never with a secret's value, or a part of one. */
export interface Finding {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly finding: string;
  /** What to do, where something is to be done. */
  readonly remedy?: string;
  /** The pool that it is about; absent: the whole stack. */
  readonly pool?: string;
}

/** What a check cannot do without. */
export type Need = "settings" | "credentials" | "stack";

/** What several checks look at, asked for once. */
export interface Facts {
  readonly context: Context;
  /** The project's; of the local stack those that it runs with. */
  readonly settings: () => Promise<Settings>;
  readonly credentials: () => Promise<{ readonly arn: string; readonly account: string }>;
  readonly stack: () => Promise<Stack>;
  /** The pools that `--pool` leaves. */
  readonly pools: () => Promise<readonly StackPool[]>;
  readonly status: (pool: StackPool) => Promise<PoolStatus>;
  /** The deployed model key's answer; `undefined`: there is none to ask with. */
  readonly model: () => Promise<ModelAnswer | undefined>;
}

export interface Check {
  /** Stays: scripts read it. */
  readonly id: string;
  readonly title: string;
  /** Looked at before a deploy too. */
  readonly beforeDeploy?: true;
  /** Makes no sense for the local stack. */
  readonly awsOnly?: true;
  readonly needs: readonly Need[];
  /** What it means when it cannot be looked at. Default: fail. */
  readonly unknown?: "warn";
  readonly run: (facts: Facts) => Promise<Finding | readonly Finding[]>;
}

export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
}

/** A check of each pool by itself. */
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
      return Promise.all(pools.map(async (pool) => ({ ...(await judge(facts, pool)), pool: pool.name })));
    },
  };
}

const limitMs = 20_000;

interface NeedRow {
  readonly have: (facts: Facts) => Promise<unknown>;
  /** Looked at first: else its absence would be told as this one's. */
  readonly after?: Need;
  readonly without: string;
}

/** In place of what was not looked at because of it: what is wrong with them is told once, by their own check. */
export const settingsUnread = "the settings cannot be read";

const needRows: Readonly<Record<Need, NeedRow>> = {
  settings: { have: (facts) => facts.settings(), without: settingsUnread },
  credentials: { have: (facts) => facts.credentials(), without: "AWS cannot be asked" },
  stack: {
    have: (facts) => facts.stack(),
    after: "credentials",
    without: "no stack of this version is deployed",
  },
};

/** All of them at once, each with its own time limit; in their order. */
export async function runChecks(facts: Facts, checks: readonly Check[]): Promise<readonly CheckResult[]> {
  facts.context.terminal.progress(`Looking at ${checks.length} things`);
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
    return [{ verdict: "skipped", finding: "not for the local stack" }];
  const { clock, signal } = context;
  const limit = { clock, limitMs, signal, what: `the check ${check.id}` };
  try {
    return await withTimeLimit(limit, async () => {
      const missing = await findMissing(facts, check.needs);
      if (missing !== undefined) return [{ verdict: "skipped", finding: missing }] as const;
      return [await check.run(facts)].flat();
    });
  } catch (error) {
    signal.throwIfAborted();
    return [{ verdict: check.unknown ?? "fail", ...told(error) }];
  }
}

/** Errors that say what is wrong, in place of a finding; all others say that nobody could look. */
const findings: readonly CliErrorCode[] = [
  "usage",
  "config_invalid",
  "no_credentials",
  "not_deployed",
  "not_running",
  "version_skew",
  "refused",
];

function told(error: unknown): { readonly finding: string; readonly remedy?: string } {
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
