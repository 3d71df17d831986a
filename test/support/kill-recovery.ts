import { eventuallyTrue } from "./eventually.ts";
import type { Scenario } from "./stack.ts";

const recovery = "pool-local-recovery";

/** Kills the workspace's processor, and then recovery each of the three times that Lambda invokes it. */
export async function killWithRecovery(scenario: Scenario, workspaceId: string): Promise<void> {
  const { cloud, events } = scenario;
  const killed = (): number =>
    events.filter((one) => one.kind === "killed" && one.function === recovery).length;
  const before = killed();
  cloud.faults.kill(recovery, 0);
  await scenario.kill(workspaceId);
  for (const tries of [1, 2, 3]) {
    await eventuallyTrue("recovery is killed", () => killed() === before + tries);
    if (tries < 3) cloud.faults.kill(recovery, 0);
  }
}
