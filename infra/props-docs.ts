import * as z from "zod";
import { settingsSchema } from "./settings-schema.ts";

/** The part of JSON Schema that the settings use. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly absent?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
}

export interface Prop {
  readonly name: string;
  /** As in TypeScript. */
  readonly type: string;
  /** The members of a union, if the type is one. */
  readonly members: readonly string[];
  readonly isRequired: boolean;
  readonly meaning: string;
  /** Code, or a sentence that begins with "- "; `undefined`: the prop is required. */
  readonly default: string | undefined;
}

export interface PropGroup {
  readonly name: string;
  readonly meaning: string;
  readonly props: readonly Prop[];
}

interface Group {
  readonly name: string;
  readonly meaning: string;
  /** What the prop means. Absent: the same. */
  readonly ofProp?: string;
  /** What applies without it. Absent: the default values of its props. */
  readonly absent?: string;
}

/** The interfaces, in the order of the file, by the place of their settings. */
const groups: Readonly<Record<string, Group>> = {
  "": { name: "StudioRunnerProps", meaning: "What a runner does, and how. Every prop has a default." },
  pools: {
    name: "PoolOptions",
    meaning: "One queue of jobs, with its own keys, functions and limits.",
    ofProp: "The queues of jobs, at most 10.",
  },
  "pools.processor": { name: "ProcessorOptions", meaning: "The function that runs a job." },
  "pools.dispatcher": { name: "DispatcherOptions", meaning: "The function that looks for jobs." },
  "pools.rotation": { name: "RotationOptions", meaning: "The function that replaces runner keys." },
  inference: { name: "InferenceOptions", meaning: "The model that does the jobs, and its provider." },
  "inference.workloadIdentity": {
    name: "WorkloadIdentityOptions",
    meaning: "The processor's AWS identity in place of a model key.",
    absent: "a model key",
  },
  spend: { name: "SpendOptions", meaning: "Prices, for estimated costs and daily caps." },
  "spend.prices": { name: "PriceOptions", meaning: "The prices of one model." },
  "spend.tiers": { name: "TierOptions", meaning: "What the provider's service tiers cost." },
  monitoring: { name: "MonitoringOptions", meaning: "Alarms, dashboards and traces." },
  "monitoring.thresholds": { name: "ThresholdOptions", meaning: "When alarms fire." },
  encryption: { name: "EncryptionOptions", meaning: "Customer-managed KMS keys." },
  network: { name: "NetworkOptions", meaning: "The VPC in which the functions run.", absent: "no VPC" },
  iam: { name: "IamOptions", meaning: "For every role of the stack." },
  endpoints: { name: "EndpointOptions", meaning: "The AWS endpoints that the functions use." },
  studio: { name: "StudioOptions", meaning: "Where Xenonflare Studio is." },
  updates: {
    name: "UpdateOptions",
    meaning: "Where the command `check-update` looks for releases.",
    absent: "nowhere",
  },
};

/** The documented props of the construct, from the schema of the settings. */
export function propGroups(): readonly PropGroup[] {
  const root: unknown = z.toJSONSchema(settingsSchema, { io: "input" });
  return Object.entries(groups).map(([place, { name, meaning }]) => {
    const schema = schemaAt(isSchema(root) ? root : {}, place);
    const props = Object.entries(schema.properties ?? {})
      // It names a stack, which is the app's.
      .filter(([prop]) => !(place === "" && prop === "stackName"))
      .map(([prop, own]) =>
        propOf({ place, prop, own, isRequired: schema.required?.includes(prop) ?? false }),
      );
    return { name, meaning, props };
  });
}

/** The object that has the props of a place: `pools` are those of an item. */
function schemaAt(root: Schema, place: string): Schema {
  const steps = place === "" ? [] : place.split(".");
  return steps.reduce<Schema>((schema, step) => {
    const own = schema.properties?.[step] ?? {};
    return [own.items, own.additionalProperties].find(isSchema) ?? own;
  }, root);
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

interface Place {
  readonly place: string;
  readonly prop: string;
  readonly own: Schema;
  readonly isRequired: boolean;
}

function propOf({ place, prop, own, isRequired }: Place): Prop {
  const path = place === "" ? prop : `${place}.${prop}`;
  const group = groups[path];
  const meaning = own.description ?? group?.ofProp ?? group?.meaning;
  if (meaning === undefined) throw new TypeError(`the setting ${path} has no description`);
  const members = membersOf(own, path);
  const whole = { name: prop, type: members.join(" | "), members, isRequired, meaning };
  return { ...whole, default: isRequired ? undefined : defaultOf(own, group) };
}

function membersOf(own: Schema, path: string): readonly string[] {
  const { type, items, additionalProperties } = own;
  // Numbers in cdk.json, and CDK's own names for them in code.
  if (path === "logRetentionDays") return ["RetentionDays"];
  if (own.enum) return own.enum.map((value) => JSON.stringify(value));
  const name = groups[path]?.name;
  if (type === "array") {
    const inner = name ?? membersOf(isSchema(items) ? items : {}, "").join(" | ");
    return [`readonly ${inner.includes("|") ? `(${inner})` : inner}[]`];
  }
  if (isSchema(additionalProperties)) return [`Readonly<Record<string, ${name ?? "string"}>>`];
  if (type === "object") return [name ?? "never"];
  return [type === "integer" ? "number" : String(type)];
}

function defaultOf(own: Schema, group: Group | undefined): string {
  const absent = own.absent ?? group?.absent;
  if (absent !== undefined) return `- ${absent}`;
  if (group && isEmpty(own.default)) return "- the defaults of its props";
  if (own.default === undefined) return "- none";
  return JSON.stringify(own.default)
    .replaceAll(/"(\w+)":/g, "$1: ")
    .replaceAll(",", ", ")
    .replaceAll("{", "{ ")
    .replaceAll("}", " }");
}

const isEmpty = (value: unknown): boolean => JSON.stringify(value) === "{}";

const head = `import type { RetentionDays } from "aws-cdk-lib/aws-logs";

// Written by \`npm run api-docs\` from the schema of the settings (infra/settings-schema.ts).
`;

/** The file infra/props.ts, in the formatter's layout. */
export const renderProps = (): string => [head, ...propGroups().map(renderGroup)].join("\n");

function renderGroup({ name, meaning, props }: PropGroup): string {
  return [`/** ${meaning} */`, `export interface ${name} {`, ...props.map(renderProp), "}", ""].join("\n");
}

function renderProp({ name, members, isRequired, meaning, default: fallback }: Prop): string {
  const lines = [meaning, ...(fallback === undefined ? [] : [`@default ${fallback}`])];
  const comment = ["  /**", ...lines.flatMap(wrapped).map((line) => `   * ${line}`), "   */"];
  const all = isRequired ? members : [...members, "undefined"];
  const start = `  readonly ${name}${isRequired ? "" : "?"}:`;
  const line = `${start} ${all.join(" | ")};`;
  const declared = line.length <= 110 ? [line] : [start, `${all.map((one) => `    | ${one}`).join("\n")};`];
  return [...comment, ...declared].join("\n");
}

/** Lines of at most 100 characters. */
const wrapped = (text: string): readonly string[] =>
  [...text.matchAll(/\S(?:.{0,99})(?=\s|$)/g)].map(([line]) => line.trim());
