import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultModels } from "../infra/dated-table.ts";
import { buildStack } from "../local/build.ts";
import type { FunctionResource, Stack } from "../local/cloud/resources.ts";
import { readStack } from "../local/cloud/template.ts";
import { variablesOf } from "../local/cloud/variables.ts";
import { createTable, type Table } from "../lib/adapters/dynamodb.ts";
import { buildBundles, type Bundles } from "./bundles.ts";
import { startHost, type Host, type HostOptions } from "./host-client.ts";
import { call, startServer, type Server } from "./servers/client.ts";

const region = "us-east-1";
const question = "Say in one sentence what a queue is.";
export const pool = "bench";
export const modelKey = "sk-bench-0123456789";
/** A model with a known price, so that no warning is logged about it. */
const modelName = defaultModels.openai;

/** Shared by every part of a run: the stack as it would be deployed, and the benchmark's own bundles. */
export interface Built extends Disposable {
  readonly folder: string;
  readonly templateFile: string;
  readonly stack: Stack;
  readonly bundles: Bundles;
}

export async function buildAll(): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-bench-"));
  const settings = { stackName: "Bench", pools: [{ name: pool, kind: "user" }] };
  const [templateFile, bundles] = await Promise.all([buildStack(settings, folder), buildBundles(folder)]);
  return {
    folder,
    templateFile,
    stack: readStack(templateFile, { region, accountId: "000000000000" }),
    bundles,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The stack's function whose logical id contains `part`. */
export function functionOf({ stack }: Built, part: "Dispatcher" | "ProcessorRunner"): FunctionResource {
  const found = stack.functions.find(({ logicalId }) => logicalId.includes(part));
  if (found === undefined) throw new Error(`the stack has no function ${part}`);
  return found;
}

/** Starts a process with one of the stack's functions. */
export function startFunction({ folder }: Built, fn: FunctionResource, options: FunctionOptions): Host {
  return startHost({ folder, file: join(fn.codeFolder, "index.js"), ...options });
}

type FunctionOptions = Pick<HostOptions, "env" | "cpuShare">;

/** Studio and the model, each in a process of its own. */
export interface Others extends AsyncDisposable {
  readonly studio: Server;
  readonly model: Server;
  readonly runnerKey: string;
  /** Delays every answer of Studio by `ms`. */
  readonly delayStudio: (ms: number) => Promise<void>;
  /** Queues a job and returns its workspace's id. */
  readonly queue: () => Promise<string>;
}

/** The model takes `modelLatencyMs` for each round and finishes a job in `rounds` rounds. */
export async function startOthers(modelLatencyMs: number, rounds = 1): Promise<Others> {
  const [studio, model] = await Promise.all([
    startServer({ kind: "studio" }),
    startServer({ kind: "model", latencyMs: modelLatencyMs, rounds }),
  ]);
  return {
    studio,
    model,
    runnerKey: studio.facts["runnerKey"] ?? "",
    delayStudio: async (ms) => {
      await call("DELETE", `${studio.url}/_local/faults`);
      if (ms > 0) await call("POST", `${studio.url}/_local/faults`, { fault: { kind: "delay", ms } });
    },
    queue: async () => {
      const answer = await call("POST", `${studio.url}/_local/jobs`, { text: question, target: "user" });
      return textAt(answer, "workspaceId");
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([studio.close(), model.close()]);
    },
  };
}

export async function queueJobs({ queue }: Others, jobs: number): Promise<void> {
  for (let job = 0; job < jobs; job++) await queue();
}

/** A required text field of an answer. */
export function textAt(answer: unknown, field: string): string {
  const value: unknown =
    typeof answer === "object" && answer !== null ? Reflect.get(answer, field) : undefined;
  if (typeof value !== "string") throw new Error(`an answer has no ${field}`);
  return value;
}

/** Variables that make functions use these servers. */
export function addressesOf({ studio, model }: Others): Readonly<Record<string, string>> {
  return {
    RUNNER_API_BASE: studio.url,
    OPENAI_BASE_URL: model.url,
    OPENAI_MODEL: modelName,
    OPENAI_SUMMARY_MODEL: modelName,
  };
}

/** DynamoDB, Secrets Manager and a Lambda that runs nothing, for parts that run one function directly. */
export interface Aws extends AsyncDisposable {
  readonly table: Table;
  /** All environment variables of a function's process. */
  readonly variables: (
    fn: FunctionResource,
    overrides: Readonly<Record<string, string>>,
  ) => Record<string, string>;
}

export async function startAws({ stack }: Built, runnerKey: string): Promise<Aws> {
  const secrets = { ModelKey: modelKey, Keys: runnerKey };
  const server = await startServer({ kind: "aws", tables: stack.tables, secrets });
  const endpoints = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.facts["accessKeyId"] ?? "",
    AWS_SECRET_ACCESS_KEY: server.facts["secretAccessKey"] ?? "",
  };
  const credentials = {
    accessKeyId: endpoints.AWS_ACCESS_KEY_ID,
    secretAccessKey: endpoints.AWS_SECRET_ACCESS_KEY,
  };
  return {
    table: createTable(stack.tables[0]?.name ?? "", { endpoint: server.url, region, credentials }),
    variables: (fn, overrides) => variablesOf(fn, { region, endpoints, overrides }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
