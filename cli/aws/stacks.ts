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

/** CloudFormation has no other error for a stack that does not exist, and this one no other cause: the name is valid. */
const isMissing = (error: unknown): boolean => error instanceof Error && error.name === "ValidationError";
