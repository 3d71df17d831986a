import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, inject, onTestFinished, vi } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { startCloud } from "../../../local/cloud/cloud.ts";
import type { CloudEvent } from "../../../local/cloud/events.ts";
import type { CloudOptions, LocalCloud } from "../../../local/cloud/local-cloud.ts";

export const temporaryFolder = (name: string): string => mkdtempSync(join(inject("temporaryRoot"), name));

/** A bundle whose handler performs the action named in its event. */
const obedient = `
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
let calls = 0;
let ticks = 0;
const actions = {
  echo: (event, context) => ({ event, context, remainingMs: context.getRemainingTimeInMillis(), calls }),
  env: () => process.env,
  sleep: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, "slept")),
  wait: async ({ file }) => { while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5)); return "waited"; },
  throw: () => { throw new TypeError("no good"); },
  throwLater: () => { setTimeout(() => { throw new RangeError("out of nowhere"); }, 5); return new Promise(() => {}); },
  reject: () => { Promise.reject(new Error("nobody cared")); return new Promise(() => {}); },
  exit: ({ code }) => process.exit(code),
  eat: async () => { const eaten = []; for (;;) { eaten.push(Buffer.alloc(20_000_000, 1)); await new Promise((r) => setTimeout(r, 5)); } },
  log: () => { console.log("one line"); console.debug("hidden"); console.error(new Error("two\\nlines")); process.stderr.write("raw\\n"); },
  tick: () => { setInterval(() => { ticks += 1; }, 5); return ticks; },
  ticks: () => ticks,
  big: () => "x".repeat(7_000_000),
  nothing: () => undefined,
  spawn: () => spawn("/bin/sleep", ["600"]).pid,
  waitForTerm: () => new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 50, "wound down"))),
};
export const handler = async (event, context) => { calls += 1; console.log("begin " + event.do); return actions[event.do](event, context); };
`;

/** An event for the obedient bundle, whose invocation ends once `open` has been called. */
export function createGate() {
  const file = join(temporaryFolder("gate-"), "open");
  return { event: { do: "wait", file }, open: () => writeFileSync(file, "") };
}

interface FixtureFunction {
  readonly source?: string;
  readonly file?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface Fixture {
  readonly functions?: Readonly<Record<string, FixtureFunction>>;
  readonly resources?: Readonly<Record<string, unknown>>;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Writes a template with its assets into a new folder; returns the template's path. */
export function writeTemplate(fixture: Fixture): string {
  const { functions = {}, resources = {}, parameters = {}, outputs = {} } = fixture;
  const folder = temporaryFolder("stack-");
  const lambdas = Object.entries(functions).map(
    ([logicalId, { source = obedient, file = "index.mjs", properties = {} }]) => {
      const hash = `hash${logicalId.toLowerCase()}`;
      mkdirSync(join(folder, `asset.${hash}`));
      writeFileSync(join(folder, `asset.${hash}`, file), source);
      const common = { Runtime: "nodejs24.x", Handler: "index.handler", Timeout: 20, MemorySize: 256 };
      const code = { S3Bucket: { "Fn::Sub": "cdk-${AWS::AccountId}-${AWS::Region}" }, S3Key: `${hash}.zip` };
      return [
        logicalId,
        { Type: "AWS::Lambda::Function", Properties: { ...common, Code: code, ...properties } },
      ];
    },
  );
  const templateFile = join(folder, "TestStack.template.json");
  const all = { ...Object.fromEntries(lambdas), ...resources };
  const template = { Parameters: parameters, Resources: all, Outputs: outputs };
  writeFileSync(templateFile, JSON.stringify(template));
  return templateFile;
}

export type Watched = Awaited<ReturnType<typeof startWatched>>;

async function startWatched(fixture: Fixture, options: Partial<CloudOptions> = {}) {
  const events: CloudEvent[] = [];
  const waiting = new Set<{ fits: (event: CloudEvent) => boolean; resolve: (event: CloudEvent) => void }>();
  const cloud = await startCloud({
    clock: systemClock,
    secrets: {},
    schedules: "off",
    ...options,
    templateFile: writeTemplate(fixture),
    onEvent(event) {
      events.push(event);
      for (const one of waiting) {
        if (!one.fits(event)) continue;
        waiting.delete(one);
        one.resolve(event);
      }
    },
  });
  return {
    cloud,
    events,
    /** Resolves with the first event that fits, past or future. */
    until: (fits: (event: CloudEvent) => boolean): Promise<CloudEvent> => {
      const found = events.find(fits);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => waiting.add({ fits, resolve }));
    },
    close: () => cloud.stop({ graceMs: 0 }),
  };
}

/** A cloud that closes with the test. */
export async function startForTest(fixture: Fixture, options: Partial<CloudOptions> = {}): Promise<Watched> {
  const watched = await startWatched(fixture, options);
  onTestFinished(() => watched.close());
  return watched;
}

/** One cloud for all tests of the file; the environment points the AWS SDK's clients to it. */
export function useCloud(fixture: Fixture, options: Partial<CloudOptions> = {}): Watched {
  let watched: Watched | undefined;
  beforeAll(async () => {
    watched = await startWatched(fixture, options);
    for (const [name, value] of Object.entries(watched.cloud.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await watched?.close();
  });
  return new Proxy({} as Watched, { get: (_, name) => watched && Reflect.get(watched, name) });
}

export const kindsOf = (events: readonly CloudEvent[]): string[] =>
  events.map(({ kind }) => kind).filter((kind) => kind !== "log");

/** The obedient bundle's answer to "echo", or its error. */
interface Answer {
  readonly calls: number;
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** The parsed answer of a synchronous invocation. */
export async function call<T = Answer>(cloud: LocalCloud, functionName: string, event: unknown): Promise<T> {
  const result = await cloud.invoke(functionName, event, { type: "RequestResponse" });
  return JSON.parse(result.payload ?? "null");
}

export const eventInvokeConfig = (functionId: string, properties: object): unknown => ({
  Type: "AWS::Lambda::EventInvokeConfig",
  Properties: { FunctionName: { Ref: functionId }, Qualifier: "$LATEST", ...properties },
});

/** A table with the key pk. */
export const table = (more: object = {}) => ({
  Type: "AWS::DynamoDB::Table",
  Properties: {
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
    ...more,
  },
});
