import type { Check, Facts, Finding } from "./check.ts";

/** The name of `cdk bootstrap`'s stack. */
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
    run: async (facts) => {
      const { functions } = await facts.context.aws();
      const [{ pools }, { limit, unreserved }] = await Promise.all([
        facts.settings(),
        functions.accountConcurrency(),
      ]);
      const reserved = pools.reduce((sum, { processor }) => sum + (processor.reservedConcurrency ?? 0), 0);
      if (reserved > 0 && reserved + leastUnreserved > limit) return tooMuchReserved(reserved, limit);
      const needed = pools.reduce(
        (sum, { concurrency, processor }) =>
          sum + (processor.reservedConcurrency === undefined ? concurrency : 0) + functionsBeside,
        0,
      );
      const finding = `the account can run ${unreserved} invocations at once; the pools need ${needed}, including dispatchers and recovery`;
      if (needed <= unreserved) return { outcome: "ok", finding };
      const remedy =
        'Lower the pools\' concurrency, or ask AWS for a higher quota: Service Quotas, Lambda, "Concurrent executions".';
      return { outcome: "warn", finding, remedy };
    },
  },
];

const tooMuchReserved = (reserved: number, limit: number): Finding => ({
  outcome: "fail",
  finding: `the pools reserve ${reserved} of the account's ${limit} invocations at once, of which Lambda keeps ${leastUnreserved} for other functions`,
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
