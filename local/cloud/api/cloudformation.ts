import * as z from "zod";
import { ServiceError } from "../errors.ts";
import type { Output } from "../resources.ts";
import { actionOf, type Actions } from "./protocols.ts";

export interface StackInfo {
  readonly name: string;
  readonly id: string;
  readonly createdMs: number;
  readonly outputs: readonly Output[];
}

const action = actionOf<StackInfo>("ValidationError");

/** CloudFormation's actions in the query protocol. There is only one stack. */
export const cloudFormationActions: Actions<StackInfo> = {
  DescribeStacks: action({
    request: z.object({ StackName: z.string().optional() }),
    answer: ({ StackName }, { name, id, createdMs, outputs }) => {
      if (StackName !== undefined && StackName !== name && StackName !== id) {
        throw new ServiceError("ValidationError", `Stack with id ${StackName} does not exist`);
      }
      const stack = {
        StackId: id,
        StackName: name,
        StackStatus: "CREATE_COMPLETE",
        CreationTime: new Date(createdMs).toISOString(),
        Outputs: outputs.map(({ key, value, description }) => ({
          OutputKey: key,
          OutputValue: value,
          Description: description,
        })),
      };
      return { Stacks: [stack] };
    },
  }),
};
