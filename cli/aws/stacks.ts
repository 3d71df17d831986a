import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import type { Stacks } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createStacks(config: AwsConfig): Stacks {
  const client = new CloudFormationClient(config);
  return {
    outputs: async (stackName) => {
      const answer = await client
        .send(new DescribeStacksCommand({ StackName: stackName }))
        .catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        });
      const [stack] = answer?.Stacks ?? [];
      if (!stack) return undefined;
      const outputs = (stack.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [
        OutputKey,
        OutputValue,
      ]);
      return { status: stack.StackStatus ?? "", outputs: Object.fromEntries(outputs) };
    },
  };
}

/**
 * CloudFormation has no separate error type for this: it returns a ValidationError, "Stack with id X does not
 * exist".
 */
function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === "ValidationError" && /does not exist/.test(error.message);
}
