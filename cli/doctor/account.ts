import type { Settings } from "../../infra/settings.ts";
import { attempt, problemOf, valueOf } from "../attempt.ts";
import type { Check, Facts, Finding } from "./check.ts";

/** The name of `cdk bootstrap`'s stack, which `grantOperate` lets doctor read. */
const bootstrapStack = "CDKToolkit";
/** The version that aws-cdk-lib's default synthesizer requires. */
const oldestBootstrap = 6;
/** Functions per pool that run beside its runs: dispatcher and recovery. */
const functionsBeside = 2;
/** Lambda refuses reservations that leave less than this to other functions. */
const leastUnreserved = 100;

/** Checks that need nothing but credentials. */
export const accountChecks: readonly Check[] = [
  {
    id: "credentials",
    title: "AWS credentials",
    beforeDeploy: true,
    needs: [],
    run: async (facts) => ({ outcome: "ok", finding: (await facts.credentials()).arn }),
  },
  {
    id: "bootstrap",
    title: "CDK bootstrap",
    beforeDeploy: true,
    awsOnly: true,
    needs: ["credentials"],
    unknown: "warn",
    run: judgeBootstrap,
  },
  {
    id: "concurrency",
    title: "Account concurrency",
    beforeDeploy: true,
    needs: ["settings", "credentials"],
    unknown: "warn",
    run: judgeConcurrency,
  },
];

/**
 * Reservations of the deployed stack become free when the next deploy replaces them; those of other functions
 * do not.
 */
async function judgeConcurrency(facts: Facts): Promise<Finding> {
  const { functions } = await facts.context.aws();
  const [{ pools }, unreserved, stack] = await Promise.all([
    facts.settings(),
    functions.unreservedConcurrency(),
    attempt(() => facts.stack()),
  ]);
  const deployed = valueOf(stack)?.settings.pools ?? [];
  const available = unreserved + reservedBy(deployed);
  const reserved = reservedBy(pools);
  const rest = available - reserved;
  if (reserved > 0 && rest < leastUnreserved) {
    const problem = problemOf(stack);
    // Where the deployed settings cannot be read, they may hold the reservations that are missing here.
    const isCertain = problem === undefined || problem.code === "not_deployed";
    return { outcome: isCertain ? "fail" : "warn", ...tooMuchReserved(reserved, available) };
  }
  const needed = pools.reduce(
    (sum, { concurrency, processor }) =>
      sum + (processor.reservedConcurrency === undefined ? concurrency : 0) + functionsBeside,
    0,
  );
  const finding = `the account can run ${rest} invocations at once; the pools need ${needed}, including dispatchers and recovery`;
  if (needed <= rest) return { outcome: "ok", finding };
  const remedy =
    'Lower the pools\' concurrency, or ask AWS for a higher quota: Service Quotas, Lambda, "Concurrent executions".';
  return { outcome: "warn", finding, remedy };
}

const reservedBy = (pools: Settings["pools"]): number =>
  pools.reduce((sum, { processor }) => sum + (processor.reservedConcurrency ?? 0), 0);

const tooMuchReserved = (reserved: number, available: number): Omit<Finding, "outcome"> => ({
  finding: `the pools reserve ${reserved} of the ${available} invocations at once that other functions leave, of which Lambda keeps ${leastUnreserved} unreserved`,
  remedy:
    'Lower processor.reservedConcurrency, or ask AWS for a higher quota: Service Quotas, Lambda, "Concurrent executions".',
});

async function judgeBootstrap({ context, credentials }: Facts): Promise<Finding> {
  const { region: readRegion, stacks } = await context.aws();
  const [{ account }, region, found] = await Promise.all([
    credentials(),
    readRegion(),
    stacks.outputs(bootstrapStack),
  ]);
  const remedy = `npx cdk bootstrap aws://${account}/${region}`;
  if (!found) {
    const finding = `this account and region have no stack ${bootstrapStack}`;
    return { outcome: "fail", finding, remedy };
  }
  const version = Number(found.outputs["BootstrapVersion"] ?? 0);
  const finding = `version ${version}`;
  return version >= oldestBootstrap
    ? { outcome: "ok", finding }
    : { outcome: "fail", finding: `${finding}; ${oldestBootstrap} or newer is needed`, remedy };
}
