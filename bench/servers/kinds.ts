import { randomUUID } from "node:crypto";
import * as z from "zod";
import { systemClock } from "../../lib/core/clock.ts";
import { actionOf, type Actions, type Route } from "../../local/cloud/api/protocols.ts";
import { jsonService, proxyService, restService } from "../../local/cloud/api/service.ts";
import { startDatabase } from "../../local/cloud/database.ts";
import { openEndpoints } from "../../local/cloud/endpoints.ts";
import { ServiceError } from "../../local/cloud/errors.ts";
import type { TableResource } from "../../local/cloud/resources.ts";
import { newCredentials } from "../../local/cloud/signature.ts";
import { startWarden } from "../../local/cloud/warden.ts";
import type { Script, TurnPart } from "../../local/model/conversation.ts";
import { startModel } from "../../local/model/server.ts";
import { startStudio } from "../../local/studio/server.ts";

export type ServerOptions =
  | { readonly kind: "studio" }
  | { readonly kind: "model"; readonly latencyMs: number; readonly rounds: number }
  | {
      readonly kind: "aws";
      readonly tables: readonly TableResource[];
      /** By a part of their names. */
      readonly secrets: Readonly<Record<string, string>>;
    };

type Facts = Readonly<Record<string, string>> & { readonly url: string };

const clock = systemClock;

const answer: TurnPart = { type: "text", text: "A queue hands work on in the order in which it came." };

const listCall = (round: number): TurnPart => ({
  type: "call",
  name: "create_list",
  arguments: JSON.stringify({ kind: "list", id: `list-${round}`, title: "Queues", items: ["First in"] }),
});

/** Finishes every job in `rounds` rounds, so that the measurement does not depend on the model's script. */
const inRounds =
  (rounds: number): Script =>
  ({ items }) => {
    const round = items.filter(({ type }) => type === "call").length + 1;
    return { parts: [round < rounds ? listCall(round) : answer], outcome: "completed" };
  };

const unlimited = 1_000_000_000;

/** Starts a server, which lives until its process ends. */
export async function startKind(options: ServerOptions): Promise<Facts> {
  if (options.kind === "studio") return startBenchStudio();
  if (options.kind === "aws") return startAws(options);
  const { latencyMs, rounds } = options;
  return { url: (await startModel({ clock, latencyMs, script: inRounds(rounds), control: true })).url };
}

async function startBenchStudio(): Promise<Facts> {
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: Math.random,
    dailyLimits: { user: unlimited, global: unlimited },
    accountToken: randomUUID(),
    info: { kind: "canned", name: "bench" },
    control: true,
  });
  return { url: studio.url, runnerKey: studio.createKey("user", "bench").runnerToken };
}

async function startAws({ tables, secrets }: Extract<ServerOptions, { kind: "aws" }>): Promise<Facts> {
  const credentials = newCredentials();
  const endpoints = await openEndpoints({ clock, credentials });
  const database = await startDatabase({
    clock,
    warden: startWarden(),
    region: "us-east-1",
    accountId: "000000000000",
    folder: undefined,
    tables,
    onEnded: (how) => process.stderr.write(`${how}\n`),
  });
  endpoints.serve([
    proxyService("DynamoDB_20120810", database.agent),
    jsonService({ prefix: "secretsmanager", version: "1.1" }, { actions: secretsActions, ports: secrets }),
    restService(invokeRoutes, undefined),
  ]);
  return { url: endpoints.url, ...credentials };
}

const secretsActions: Actions<Readonly<Record<string, string>>> = {
  GetSecretValue: actionOf<Readonly<Record<string, string>>>("InvalidParameterException")({
    request: z.object({ SecretId: z.string() }),
    answer: ({ SecretId }, secrets) => {
      const found = Object.entries(secrets).find(([part]) => SecretId.includes(part));
      if (found === undefined) throw new ServiceError("ResourceNotFoundException", SecretId);
      return { SecretString: found[1] };
    },
  }),
};

/** A Lambda that accepts every event and runs none. */
const invokeRoutes: readonly Route<undefined>[] = [
  { method: "POST", path: /^\/2015-03-31\//, answer: () => ({ status: 202, body: undefined }) },
];
