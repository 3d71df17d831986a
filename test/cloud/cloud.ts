import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { systemClock } from "../../lib/core/clock.ts";
import { startModel, type OfflineModel } from "../../local/model/server.ts";
import { startStudio, type LocalStudio } from "../../local/studio/server.ts";
import { credentials, region, startEmulator, type Emulator } from "./emulator.ts";
import { cloneProject, type Project } from "./project.ts";
import { preparePython } from "./python.ts";

/** An AWS account, a Studio with a page, a model, and a user's clone of the project. */
export interface Cloud {
  readonly emulator: Emulator;
  readonly studio: LocalStudio;
  readonly model: OfflineModel;
  readonly modelKey: string;
  readonly project: Project;
  /** The deployed stack's outputs by name; `undefined`: there is no stack. */
  outputs(): Promise<Readonly<Record<string, string>> | undefined>;
  close(): Promise<void>;
}

export const stackName = "StudioRunner";

export async function startCloud(): Promise<Cloud> {
  const python = await preparePython(resolve(import.meta.dirname, "../../.local/cloud"));
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-cloud-"));
  const emulator = await startEmulator(python, folder);
  const modelKey = randomUUID();
  const clock = systemClock;
  const model = await startModel({ clock, keys: [modelKey], latencyMs: 50 });
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: Math.random,
    accountToken: randomUUID(),
    info: { kind: "canned", name: "offline-canned" },
  });
  const project = cloneProject(join(folder, "project"), emulator.variables);
  const account = { region, endpoint: emulator.endpoint, credentials };
  const cloudFormation = new CloudFormationClient(account);
  return {
    emulator,
    studio,
    model,
    modelKey,
    project,
    outputs: async () => {
      const answer = await cloudFormation
        .send(new DescribeStacksCommand({ StackName: stackName }))
        .catch(() => undefined);
      const outputs = answer?.Stacks?.[0]?.Outputs ?? [];
      return answer && Object.fromEntries(outputs.map((one) => [one.OutputKey ?? "", one.OutputValue ?? ""]));
    },
    close: async () => {
      await emulator.stop();
      await studio.close();
      await model.close();
      if (process.env["KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
