import { bedrockOf, storesModelKey, type Settings } from "../infra/settings.ts";
import { parseAccount } from "../lib/rotation/sign-in.ts";
import { parseRunnerKeys, parseModelKey } from "../lib/keys/secrets.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";

export const keyNames = ["runner-keys", "model-key", "account-key"] as const;
export type KeyName = (typeof keyNames)[number];

interface KeyRow {
  readonly what: string;
  /** Throws RunnerError `secret_malformed`, without any part of the value. */
  readonly parse: (text: string, where: string) => unknown;
  /** The secret's ARN. @throws CliError `refused` if this stack has none */
  readonly find: (context: Context) => Promise<string>;
}

/** The secrets of a stack, by the names that `secrets set` uses. */
export const keyTable: Readonly<Record<KeyName, KeyRow>> = {
  "runner-keys": {
    what: "the runner keys",
    parse: parseRunnerKeys,
    find: async (context) => (await context.pool()).output("KeysSecret"),
  },
  "model-key": {
    what: "the model key",
    parse: parseModelKey,
    find: async (context) => {
      const stack = await context.stack();
      const instead = insteadOfKey(stack.settings);
      if (instead === undefined) return stack.output("ModelKeySecret");
      throw new CliError("refused", `This stack stores no model key: ${instead}.`);
    },
  },
  "account-key": {
    what: "the account key",
    parse: parseAccount,
    find: async (context) => {
      const pool = await context.pool();
      const arn = pool.optional("AccountSecret");
      if (arn !== undefined) return arn;
      throw new CliError("refused", `Pool ${pool.name} has no rotator, and so no account key.`, {
        remedy: `Give the pool "rotation": {} in cdk.json and deploy.`,
      });
    },
  },
};

/**
 * How the processor proves its identity to the model's provider if no model key is stored; `undefined`: with
 * the key.
 */
export function insteadOfKey(settings: Settings): string | undefined {
  if (storesModelKey(settings)) return undefined;
  return bedrockOf(settings) === undefined
    ? "the processor uses its AWS identity (inference.workloadIdentity)"
    : "the processor's role signs its requests to Amazon Bedrock (inference.provider)";
}
