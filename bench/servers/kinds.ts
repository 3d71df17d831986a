import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { systemClock } from "../../lib/clock.ts";
import { startDatabase } from "../../local/cloud/database.ts";
import type { TableResource } from "../../local/cloud/resources.ts";
import { startWarden } from "../../local/cloud/warden.ts";
import type { Script } from "../../local/model/conversation.ts";
import { startModel } from "../../local/model/server.ts";
import { startStudio } from "../../local/studio/server.ts";

export type ServerOptions =
  | { readonly kind: "studio" }
  | { readonly kind: "model"; readonly latencyMs: number }
  | {
      readonly kind: "aws";
      readonly tables: readonly TableResource[];
      /** By a part of their names. */
      readonly secrets: Readonly<Record<string, string>>;
    };

type Facts = Readonly<Record<string, string>> & { readonly url: string };
type Kinds = {
  readonly [K in ServerOptions["kind"]]: (options: Extract<ServerOptions, { kind: K }>) => Promise<Facts>;
};

const clock = systemClock;

/** Every job is done in one round: what is measured is the runner, not the model's wishes. */
const oneRound: Script = () => ({
  parts: [{ type: "text", text: "A queue hands work on in the order in which it came." }],
  outcome: "completed",
});
const unlimited = 1_000_000_000;

/** What runs in a server's process. Each lives until its process ends. */
const kinds: Kinds = {
  studio: async () => {
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
  },
  model: async ({ latencyMs }) => ({
    url: (await startModel({ clock, latencyMs, script: oneRound, control: true })).url,
  }),
  aws: async ({ tables, secrets }) => {
    const database = await startDatabase({
      clock,
      warden: startWarden(),
      region: "us-east-1",
      accountId: "000000000000",
      folder: undefined,
      tables,
      onEnded: (how) => process.stderr.write(`${how}\n`),
    });
    return { url: await serveSecretsAndInvokes(secrets), database: database.url };
  },
};

export function startKind(options: ServerOptions): Promise<Facts> {
  switch (options.kind) {
    case "studio":
      return kinds.studio(options);
    case "model":
      return kinds.model(options);
    case "aws":
      return kinds.aws(options);
    default:
      throw new Error("no such server");
  }
}

/** Secrets Manager, and a Lambda that takes every event and runs none. */
async function serveSecretsAndInvokes(secrets: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      response.setHeader("x-amzn-requestid", randomUUID());
      if (request.url?.startsWith("/2015-03-31/")) return response.writeHead(202).end();
      const found = Object.entries(secrets).find(([part]) => body.includes(part));
      response.setHeader("content-type", "application/x-amz-json-1.1");
      if (found === undefined) response.statusCode = 400;
      return response.end(
        JSON.stringify(
          found === undefined ? { __type: "ResourceNotFoundException" } : { SecretString: found[1] },
        ),
      );
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}
