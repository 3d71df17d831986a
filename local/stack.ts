import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { cannedModelName } from "../cli/canned-model.ts";
import type { Clock } from "../lib/core/clock.ts";
import { buildStack } from "./build.ts";
import { startCloud } from "./cloud/cloud.ts";
import type { CloudEvent } from "./cloud/events.ts";
import type { LocalCloud } from "./cloud/local-cloud.ts";
import { settingsOf, type StackSettings } from "./local-settings.ts";
import type { BedrockOptions } from "./model/bedrock.ts";
import { startModel, type OfflineModel } from "./model/server.ts";
import type { LocalOptions } from "./options.ts";
import { openPages } from "./pages.ts";
import type { RunnerInstance } from "../lib/keys/runner-secret.ts";
import type { RunnerKind } from "../lib/studio/studio.ts";
import type { LocalStudio } from "./studio/server.ts";

export interface StackPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newSecret: () => string;
  /** The folder for the local Studio's file, the synthesized template, and the cloud's tables and log lines. */
  readonly stateDir: string;
  readonly onEvent: (event: CloudEvent) => void;
  readonly tuning?: StackTuning;
}

/** Options for tests and measurements, which users do not need. */
export interface StackTuning {
  /** Lease duration of the local Studio. Default: 60 s. */
  readonly leaseMs?: number;
  /** Latency of one turn of the offline model. Default: its own. */
  readonly modelLatencyMs?: number;
  /** The clock of the offline model's turns. Default: the stack's. */
  readonly modelClock?: Clock;
  /** Makes the offline model one of Bedrock's endpoints, which accepts the functions' signatures. */
  readonly bedrock?: Omit<BedrockOptions, "credentials">;
  /** The kinds of jobs that the stack runs. Default: both. */
  readonly kinds?: readonly RunnerKind[];
  /** Default: synthesizes and bundles the app. */
  readonly build?: Build;
}

export type Build = (settings: StackSettings, outdir: string) => Promise<BuiltStack>;

export interface BuiltStack {
  /** The template, with its assets next to it. */
  readonly templateFile: string;
  /** Override the template's variables, if it was built from other settings. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface LocalStack {
  readonly cloud: LocalCloud;
  /** Absent if another Studio is used. */
  readonly studio: LocalStudio | undefined;
  /** The address of the runner's own pages, `/runs` and `/dashboard`. Absent with --once. */
  readonly pagesUrl: string | undefined;
  /** Absent if a real model is used. */
  readonly model: OfflineModel | undefined;
  readonly modelName: string;
  readonly canned: boolean;
  /** Stops leasing. Running jobs have `graceMs` to finish. Leaves no process behind. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Runs the whole stack on this machine: Studio and model (local, unless `options` name others), and the
 * synthesized template with each function in processes of its own.
 * @throws RunnerError, TemplateError or CloudError with a sentence for the user; then nothing is left open
 */
export async function startStack(options: LocalOptions, ports: StackPorts): Promise<LocalStack> {
  const { clock, stateDir, tuning: { build = synthesize } = {} } = ports;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).toReversed()) await close();
  };
  try {
    const modelKey = options.model?.apiKey ?? ports.newSecret();
    const running: { cloud?: LocalCloud } = {};
    const credentials = () => running.cloud?.credentials;
    const offline = options.model ? undefined : await openOfflineModel(ports, { modelKey, credentials });
    if (offline) opened.push(() => offline.close());
    const model = options.model ?? cannedModel(offline?.url);

    const info = { kind: offline ? "canned" : "live", name: model.name } as const;
    const pages = await openPages(options, ports, { info, cloud: () => running.cloud });
    opened.push(() => pages.close());
    const { studio, pagesUrl } = pages;
    const runnerKeys = options.studio?.runnerKeys ?? (studio ? createKeys(studio, ports) : "");

    const addresses = { studio: options.studio?.baseUrl ?? studio?.url, model: model.baseUrl };
    const built = await build(settingsOf(options, { model, addresses }), join(stateDir, "cdk.out"));
    const cloud = await startCloud({
      ...built,
      clock,
      dataDir: join(stateDir, "cloud"),
      secrets: secretsOf(built.templateFile, {
        ModelKey: modelKey,
        Keys: runnerKeys,
        RotatorAccount: studio && JSON.stringify(studio.credentials),
      }),
      schedules: options.once ? "off" : "on",
      accountConcurrency: options.concurrency + 10,
      onEvent: pages.onEvent,
    });
    running.cloud = cloud;
    return {
      cloud,
      studio,
      pagesUrl,
      model: offline,
      modelName: model.name,
      canned: offline !== undefined,
      stop: (graceMs) => cloud.stop({ graceMs }).then(closeAll),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const cannedModel = (baseUrl: string | undefined) => ({
  baseUrl,
  name: cannedModelName,
  summaryName: cannedModelName,
  store: true,
});

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

/**
 * The values for the template's secrets, matched by a part of the logical id. Not every stack has all of
 * them.
 */
function secretsOf(
  templateFile: string,
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(templateFile, "utf8")));
  const ids = Object.keys(Resources).filter((id) => Resources[id]?.Type === "AWS::SecretsManager::Secret");
  return Object.fromEntries(
    Object.entries(values).flatMap(([part, value]) =>
      value !== undefined && ids.some((id) => id.includes(part)) ? [[`*${part}*`, value]] : [],
    ),
  );
}

/** Creates a key of each kind, because one pool runs both kinds of jobs here. */
function createKeys(
  studio: LocalStudio,
  { clock, tuning = {} }: Pick<StackPorts, "clock" | "tuning">,
): string {
  const { kinds = ["user", "global"] } = tuning;
  const made = kinds.map((kind) => studio.createKey(kind, "npm start"));
  const keys = made.map(({ runnerToken }) => runnerToken);
  if (keys.length === 1) return keys.join("");
  // Records the kinds, because a rotation replaces only keys of the pool's own kind.
  const instances = made.map(({ instanceId, credentialId, kind }): RunnerInstance => ({
    instanceId,
    credentialId,
    kind,
    createdAtMs: clock.now(),
  }));
  return JSON.stringify({ keys, instances });
}

const synthesize: Build = async (settings, outdir) => ({ templateFile: await buildStack(settings, outdir) });

function openOfflineModel(
  { clock, random, tuning = {} }: Pick<StackPorts, "clock" | "random" | "tuning">,
  { modelKey, credentials }: Pick<BedrockOptions, "credentials"> & { readonly modelKey: string },
): Promise<OfflineModel> {
  const { modelLatencyMs: latencyMs, modelClock = clock, bedrock } = tuning;
  return startModel({
    clock: modelClock,
    random,
    keys: [modelKey],
    ...(bedrock === undefined ? {} : { bedrock: { ...bedrock, credentials } }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  });
}
