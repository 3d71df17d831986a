import * as z from "zod";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { count } from "../format.ts";
import { concurrencyOf } from "../pool-status.ts";
import type { StackPool } from "../stack.ts";
import { orDefault, whole } from "../values.ts";

/** Functions per pool that run beside its runs: dispatcher and recovery. */
const functionsBeside = 2;

export const setConcurrency: Command = defineCommand({
  name: "set-concurrency",
  summary: "Sets how many jobs run at once, without a deploy",
  details:
    "Applies from the next dispatch cycle on, until another value or default is set; 0 leases nothing. " +
    "A value that exceeds the account's Lambda concurrency, or the processor's reserved concurrency, is refused (exit code 1).",
  arguments: [{ name: "count", meaning: "0 to 1000, or default for the deployed value" }],
  examples: [
    { line: "set-concurrency 25", shows: "checks the account first" },
    { line: "set-concurrency default", shows: "returns to the deployed value" },
  ],
  input: z.object({ count: orDefault(whole(0, 1_000)) }),
  run: async (context, { count: wanted }) => {
    const pool = await context.pool();
    const { control } = await context.runStore();
    const before = concurrencyOf(pool, await control.read(pool.name)).value;
    const concurrency = wanted === "default" ? pool.settings.concurrency : wanted;
    if (concurrency > before) await checkAccount(context, pool, concurrency);
    const by = await context.caller();
    const atMs = context.clock.now();
    await control.write(
      pool.name,
      wanted === "default"
        ? { concurrency: null, concurrencyBy: null, concurrencyAtMs: null }
        : { concurrency, concurrencyBy: by, concurrencyAtMs: atMs },
    );
    const data = { pool: pool.name, concurrency, before, deployed: pool.settings.concurrency, by, atMs };
    const does =
      concurrency === 0 ? "leases no more jobs" : `runs up to ${count(concurrency, "job")} at once`;
    return { data, text: () => `Pool ${pool.name} ${does} (before: ${before}).` };
  },
});

/** @throws CliError `refused` if the processor's reservation or the account's concurrency is too low */
async function checkAccount(context: Context, pool: StackPool, concurrency: number): Promise<void> {
  const reserved = pool.settings.processor.reservedConcurrency;
  if (reserved !== undefined && concurrency > reserved)
    throw new CliError("refused", `Lambda gives this pool's processor ${reserved} invocations at once.`, {
      remedy: `Set at most ${reserved}, or raise processor.reservedConcurrency in cdk.json and deploy.`,
    });
  if (reserved !== undefined) return;
  const [{ pools }, runStore, aws] = await Promise.all([context.stack(), context.runStore(), context.aws()]);
  const others = await Promise.all(
    pools
      .filter(
        ({ name, settings }) => name !== pool.name && settings.processor.reservedConcurrency === undefined,
      )
      .map(async (other) => concurrencyOf(other, await runStore.control.read(other.name)).value),
  );
  const unreserved = await aws.functions.unreservedConcurrency();
  const taken = others.reduce((sum, one) => sum + one, functionsBeside * pools.length);
  if (taken + concurrency <= unreserved) return;
  const room = Math.max(0, unreserved - taken);
  const message = `The account can run ${unreserved} Lambda invocations at once; ${concurrency} jobs and the other functions need ${taken + concurrency}.`;
  throw new CliError("refused", message, {
    remedy: `Set at most ${room}, or ask AWS for a higher quota: Service Quotas, Lambda, "Concurrent executions".`,
  });
}
