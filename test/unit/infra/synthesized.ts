import { App } from "aws-cdk-lib";
import * as z from "zod";
import cdk from "../../../cdk.json" with { type: "json" };
import { addStack, type RunnerStack } from "../../../infra/synthesize.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DependsOn: z.array(z.string()).optional(),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown(), Description: z.string() })).default({}),
});

const environmentSchema = z.object({ Variables: z.record(z.string(), z.string()) });

export type Resource = z.output<typeof templateSchema>["Resources"][string] & { readonly logicalId: string };

/** A synthesized stack, with short names in place of references. */
export interface SynthesizedStack extends RunnerStack {
  readonly app: App;
  readonly outputs: z.output<typeof templateSchema>["Outputs"];
  /** The template as its text, as CloudFormation gets it. */
  readonly text: string;
  /** Every type of resource, once each. */
  readonly types: readonly string[];
  resources(type: string): readonly Resource[];
  /** The one resource of the type whose logical id has `part` in it. */
  resource(type: string, part?: string): Resource;
  /** The environment of the one function whose logical id has `part` in it. */
  variables(part: string): Record<string, string>;
}

interface Checks {
  /** Also checks CloudFormation's own rules; their engine takes seconds to load. */
  readonly hasValidation?: boolean;
}

/** The app as cdk.json configures it; bundles nothing. */
export function testApp({ hasValidation = false }: Checks = {}): App {
  const outdir = temporaryFolder();
  return new App({
    outdir,
    builtinCloudFormationValidation: hasValidation,
    analyticsReporting: false,
    context: { ...cdk.context, "aws:cdk:bundling-stacks": [] },
  });
}

export function synthesizeUnbundled(settings: unknown, checks?: Checks): SynthesizedStack {
  const app = testApp(checks);
  const built = addStack(app, settings);
  return { app, ...built, ...readTemplate(app, built.stack.stackName) };
}

export function readTemplate(app: App, stackName: string): Omit<SynthesizedStack, "app" | keyof RunnerStack> {
  const raw: unknown = app.synth().getStackByName(stackName).template;
  const template = templateSchema.parse(JSON.parse(JSON.stringify(raw, (_, part: unknown) => named(part))));
  const all = Object.entries(template.Resources).map(([logicalId, resource]) => ({ logicalId, ...resource }));
  const resources = (type: string): readonly Resource[] => all.filter(({ Type }) => Type === type);
  const resource = (type: string, part = ""): Resource => {
    const [found, ...more] = resources(type).filter(({ logicalId }) => logicalId.includes(part));
    if (found === undefined || more.length > 0)
      throw new Error(`${more.length + (found ? 1 : 0)} of ${type} ${part}`);
    return found;
  };
  return {
    outputs: template.Outputs,
    text: JSON.stringify(raw),
    types: [...new Set(all.map(({ Type }) => Type))].toSorted(),
    resources,
    resource,
    variables: (part) =>
      environmentSchema.parse(resource("AWS::Lambda::Function", part).Properties["Environment"]).Variables,
  };
}

const refSchema = z.object({ Ref: z.string() });
const attributeSchema = z.object({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) });
const joinSchema = z.object({ "Fn::Join": z.tuple([z.literal(""), z.array(z.unknown())]) });

/** Replaces each reference by the short name of its target, like `RunStoreTable.Arn`, and joins texts. */
function named(value: unknown): unknown {
  const ref = refSchema.safeParse(value).data?.Ref;
  if (ref !== undefined) return shortName(ref);
  const attribute = attributeSchema.safeParse(value).data?.["Fn::GetAtt"];
  if (attribute) return `${shortName(attribute[0])}.${attribute[1]}`;
  const parts = joinSchema.safeParse(value).data?.["Fn::Join"][1];
  return parts ? parts.map(named).join("") : value;
}

/** The logical id without the outermost construct and CDK's hash. */
export const shortName = (logicalId: string): string =>
  logicalId.replace(/[0-9A-F]{8}$/, "").replace(/^Runner(?=[A-Z])/, "");
