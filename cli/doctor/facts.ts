import { storesModelKey } from "../../infra/settings.ts";
import { parseModelKey } from "../../lib/keys/secrets.ts";
import { once, type Context } from "../context.ts";
import { askModel, type ModelAnswer } from "../model.ts";
import { readPoolStatus, type PoolStatus } from "../pool-status.ts";
import type { Facts } from "./check.ts";

export function createFacts(context: Context): Facts {
  const statuses = new Map<string, Promise<PoolStatus>>();
  return {
    context,
    settings: once(async () =>
      context.options.local ? (await context.stack()).settings : context.project.settings(),
    ),
    credentials: once(async () => (await context.aws()).identity.caller()),
    stack: () => context.stack(),
    pools: () => context.pools(),
    status: (pool) => {
      const known = statuses.get(pool.name) ?? readPoolStatus(context, pool);
      statuses.set(pool.name, known);
      return known;
    },
    model: once(() => askDeployed(context)),
  };
}

async function askDeployed(context: Context): Promise<ModelAnswer | undefined> {
  const stack = await context.stack();
  if (!storesModelKey(stack.settings)) return undefined;
  const secretId = stack.output("ModelKeySecret");
  const text = await (await context.secrets()).read(secretId);
  return askModel(context, stack.settings, parseModelKey(text, "model-key"));
}
