import * as z from "zod";
import { shortName, type Resource, type SynthesizedStack } from "./synthesized.ts";

const many = z.unknown().transform((value): readonly unknown[] => (Array.isArray(value) ? value : [value]));

const documentSchema = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: many,
      Resource: many,
      Condition: z.unknown().optional(),
    }),
  ),
});
const roleSchema = z.object({
  AssumeRolePolicyDocument: z.object({
    Statement: z.array(z.object({ Principal: z.unknown(), Condition: z.unknown().optional() })),
  }),
  Policies: z.array(z.object({ PolicyDocument: documentSchema })).default([]),
});
const policySchema = z.object({ Roles: z.array(z.string()), PolicyDocument: documentSchema });

type Document = z.output<typeof documentSchema>;

/** The rights of a role, one per line: `action on resource`, followed by `if …` for a condition. */
export interface RoleRights {
  /** The service that may assume the role, followed by `if …` for a condition. */
  readonly taker: string;
  readonly may: readonly string[];
}

/** Every role of the stack by its short name ("PoolDefaultProcessor"), with the policies that are attached to it. */
export function rightsOf(stack: SynthesizedStack): Readonly<Record<string, RoleRights>> {
  const attached = stack
    .resources("AWS::IAM::Policy")
    .map(({ Properties }) => policySchema.parse(Properties));
  return Object.fromEntries(
    stack.resources("AWS::IAM::Role").map((role) => {
      const { AssumeRolePolicyDocument, Policies } = roleSchema.parse(role.Properties);
      const name = shortName(role.logicalId);
      const documents = [
        ...Policies.map(({ PolicyDocument }) => PolicyDocument),
        ...attached.filter(({ Roles }) => Roles.includes(name)).map(({ PolicyDocument }) => PolicyDocument),
      ];
      const taker = AssumeRolePolicyDocument.Statement.map(
        ({ Principal, Condition }) => textOf(Principal) + conditionOf(Condition),
      ).join();
      return [
        name.replace(/(Runner)?Role$/, ""),
        { taker, may: documents.flatMap(linesOf).toSorted() },
      ] as const;
    }),
  );
}

function linesOf({ Statement }: Document): readonly string[] {
  return Statement.flatMap(({ Effect, Action, Resource, Condition }) => {
    const when = conditionOf(Condition);
    const verb = Effect === "Allow" ? "" : `${Effect} `;
    return Action.flatMap((action) =>
      Resource.map((resource) => `${verb}${String(action)} on ${textOf(resource)}${when}`),
    );
  });
}

const conditionOf = (condition: unknown): string =>
  condition === undefined ? "" : ` if ${textOf(condition)}`;

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** The role of each function, both by their short names. */
export const roleOfFunctions = (stack: SynthesizedStack): Readonly<Record<string, string>> =>
  Object.fromEntries(
    stack
      .resources("AWS::Lambda::Function")
      .map(({ logicalId, Properties }) => [shortName(logicalId), textOf(Properties["Role"])]),
  );

export const managedPolicies = (stack: SynthesizedStack): readonly Resource[] =>
  stack.resources("AWS::IAM::Role").filter(({ Properties }) => "ManagedPolicyArns" in Properties);
