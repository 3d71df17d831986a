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

export type Resource = z.output<typeof templateSchema>["Resources"][string] & { readonly logicalId: string };

export interface SynthesizedStack extends RunnerStack {
  readonly app: App;
  readonly outputs: z.output<typeof templateSchema>["Outputs"];
  /** The template as its text. */
  readonly text: string;
  /** Every resource type, once each. */
  readonly types: readonly string[];
  resources(type: string): readonly Resource[];
  /** The one resource of the type whose logical id has `part` in it. */
  resource(type: string, part?: string): Resource;
}

interface Checks {
  /** Whether CloudFormation's own rules are tried too, whose engine takes seconds to load. */
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
  const template = templateSchema.parse(raw);
  const all = Object.entries(template.Resources).map(([logicalId, resource]) => ({ logicalId, ...resource }));
  const resources = (type: string): readonly Resource[] => all.filter(({ Type }) => Type === type);
  return {
    outputs: template.Outputs,
    text: JSON.stringify(raw),
    types: [...new Set(all.map(({ Type }) => Type))].toSorted(),
    resources,
    resource: (type, part = "") => {
      const [found, ...more] = resources(type).filter(({ logicalId }) => logicalId.includes(part));
      if (found === undefined || more.length > 0)
        throw new Error(`${more.length + (found ? 1 : 0)} of ${type} ${part}`);
      return found;
    },
  };
}

export const ref = (resource: Resource) => ({ Ref: resource.logicalId });
export const arnOf = (resource: Resource) => ({ "Fn::GetAtt": [resource.logicalId, "Arn"] });
