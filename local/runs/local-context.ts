import { userInfo } from "node:os";
import { createStackContext, type StackContext } from "../../cli/context.ts";
import { commandName } from "../../infra/command-line.ts";
import type { Clock } from "../../lib/core/clock.ts";
import type { LocalCloud } from "../cloud/local-cloud.ts";

/** The stack that `npm start` runs, as the command line sees it with `--local`. */
export async function openLocalContext(
  { stackName, region, endpointUrl: endpoint, credentials }: LocalCloud,
  {
    clock,
    signal,
    stateDir,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly stateDir: string | undefined },
): Promise<StackContext> {
  // The AWS clients are loaded when a page first needs them.
  const [{ createAws }, { createTable }, { createSecretsClient, createSecretStore }] = await Promise.all([
    import("../../cli/aws/aws.ts"),
    import("../../lib/adapters/dynamodb.ts"),
    import("../../lib/adapters/secrets-manager.ts"),
  ]);
  const account = { region, endpoint, credentials };
  return createStackContext(
    { local: true, json: false, ...(stateDir === undefined ? {} : { stateDir }) },
    async () => ({ stackName: async () => stackName, account }),
    {
      clock,
      signal,
      commandName,
      userName: () => userInfo().username,
      connect: {
        aws: createAws,
        table: createTable,
        secrets: (target) => createSecretStore(createSecretsClient(target)),
      },
    },
  );
}
