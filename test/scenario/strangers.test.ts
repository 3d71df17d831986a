import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { startModel, type OfflineModel } from "../../local/model/server.ts";
import type { StackFile } from "../../local/stack-file.ts";
import { hasChromium, inChromium, openBrowser } from "../page/open-page.ts";
import { start, type Command } from "../support/command.ts";
import { closedPort } from "../support/free-port.ts";
import { listeningPortsOf } from "../support/listening-ports.ts";
import type { OtherUserReport, OtherUserTask } from "../support/other-user.ts";
import { commandLineOf, descendantsOf } from "../support/processes.ts";

/**
 * `npm start` with a real key, and those who must not get it: other users of the machine, and pages in a
 * browser.
 */

const modelKey = "sk-proj-CANARYofTheModel00000000000000000000000000";
const runnerKey = /cred_\w+\.[\w-]{20,}/;
const isRoot = process.getuid?.() === 0;

const folder = mkdtempSync(join(tmpdir(), "studio-runner-strangers-"));
// As an earlier version left it, in folders that everybody may enter.
const stateDir = join(folder, "state");
let model: OfflineModel;
let command: Command;
let studioUrl: string;
let ports: readonly number[] = [];

beforeAll(async () => {
  chmodSync(folder, 0o755);
  mkdirSync(stateDir);
  chmodSync(stateDir, 0o755);
  const port = await closedPort();
  model = await startModel({ clock: systemClock, latencyMs: 0, keys: [modelKey] });
  studioUrl = `http://127.0.0.1:${port}`;
  const env = {
    OPENAI_API_KEY: modelKey,
    OPENAI_BASE_URL: model.url,
    OPENAI_MODEL: "offline-canned",
    RUNNER_API_BASE: "",
  };
  command = start(["--port", String(port), "--state-dir", stateDir], {
    env,
    bundles: inject("bundlesFolder"),
  });
  await command.printed("and write a message");
  ports = listeningPortsOf(command.child.pid ?? 0);
});

afterAll(async () => {
  command.child.kill("SIGINT");
  await command.ended;
  await model.close();
  rmSync(folder, { recursive: true });
});

interface TemplateResources {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
}

function idsOf(type: string): readonly string[] {
  const template = readFileSync(join(stateDir, "cdk.out", "Local.template.json"), "utf8");
  const { Resources } = JSON.parse(template) as TemplateResources;
  return Object.keys(Resources).filter((id) => Resources[id]!.Type === type);
}

/** A signature that anybody can make up, which the local cloud's first edition accepted. */
const madeUp =
  "AWS4-HMAC-SHA256 Credential=local/20261120/us-east-1/x/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
  "0".repeat(64);

interface Try {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Requests for every secret, function and table, with and without a signature. */
function tries(): readonly Try[] {
  const json = (target: string, body: object) => ({
    path: "/",
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
    body: JSON.stringify(body),
  });
  const plain: readonly Try[] = [
    ...idsOf("AWS::SecretsManager::Secret").map((id) =>
      json("secretsmanager.GetSecretValue", { SecretId: `${id}-local` }),
    ),
    ...idsOf("AWS::Lambda::Function").map((id) => ({
      path: `/2015-03-31/functions/Local-${id}/invocations`,
      method: "POST",
      headers: {},
      body: "{}",
    })),
    {
      ...json("DynamoDB_20120810.ListTables", {}),
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.ListTables",
      },
    },
    json("Logs_20140328.FilterLogEvents", { logGroupName: "x" }),
  ];
  const signed = plain.map((one) => ({
    ...one,
    headers: { ...one.headers, authorization: madeUp, "x-amz-date": "20261120T120000Z" },
  }));
  return [...plain, ...signed];
}

describe.skipIf(!isRoot)(
  isRoot
    ? "another user of this machine"
    : "another user of this machine (skipped: only root can become one)",
  () => {
    let report: OtherUserReport;
    let files: readonly string[];

    beforeAll(async () => {
      files = readdirSync(stateDir, { recursive: true, encoding: "utf8" }).map((name) =>
        join(stateDir, name),
      );
      const family = [command.child.pid!, ...descendantsOf(command.child.pid!)];
      const requests = ports.flatMap((port) =>
        tries().map(({ path, ...rest }) => ({ url: `http://127.0.0.1:${port}${path}`, ...rest })),
      );
      const child = fork(resolve(import.meta.dirname, "../support/other-user.ts"));
      const task: OtherUserTask = {
        files: [...files, ...family.map((pid) => `/proc/${pid}/environ`)],
        folders: [stateDir],
        requests,
      };
      child.send(task);
      [report] = (await once(child, "message")) as [OtherUserReport];
    });

    test("cannot read a file of the state folder or a process's environment", () => {
      expect(report.uid).toBe(65_534);
      expect(files).toContain(join(stateDir, "stack.json"));
      expect(files).toContain(join(stateDir, "studio.sqlite"));
      expect(Object.keys(report.read)).toEqual([]);
    });

    test("cannot get a secret, a row or an invocation from any open port", () => {
      expect(ports.length).toBeGreaterThanOrEqual(2);
      expect(report.answers.length).toBe(ports.length * tries().length);
      expect(report.answers.filter(({ status }) => status < 400)).toEqual([]);
      const bodies = report.answers.map(({ body }) => body).join("\n");
      expect(bodies).not.toContain(modelKey);
      expect(bodies).not.toMatch(runnerKey);
    });
  },
);

test("npm start restricts every file of a state folder that an earlier version left open", async () => {
  await command.printed("was open to other users of this machine. It is now restricted to you.");
  const names = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  // The CDK makes the folders of bundles readable for Docker, but the closed folders above protect them.
  const kept = names.filter((name) => statSync(join(stateDir, name)).isFile());
  const open = ["", "cdk.out", ...kept].filter((name) => (statSync(join(stateDir, name)).mode & 0o077) !== 0);
  expect(open).toEqual([]);
});

test("no command line of npm start's processes contains a secret", () => {
  const file = JSON.parse(readFileSync(join(stateDir, "stack.json"), "utf8")) as StackFile;
  const pids = [command.child.pid!, ...descendantsOf(command.child.pid!)];
  const lines = pids.map(commandLineOf).join("\n");
  expect(lines).toContain("studio-runner dynamodb");
  expect(lines).not.toContain(modelKey);
  expect(lines).not.toContain(file.credentials.secretAccessKey);
  expect(lines).not.toMatch(runnerKey);
});

const evil = "evil.example";

inChromium("a page in a browser of this machine", () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let site: Server;

  beforeAll(async () => {
    if (!hasChromium) return;
    browser = await openBrowser({ args: ["--no-sandbox", `--host-resolver-rules=MAP ${evil} 127.0.0.1`] });
    site = createServer((_, response) => void response.end("<!doctype html><title>A page</title>"));
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    site?.closeAllConnections();
  });

  interface Seen {
    readonly status: number;
    readonly body: string;
  }

  /** What a page with that address can read of these requests. */
  async function seenFrom(address: string, requests: readonly (Try & { readonly url: string })[]) {
    const page = await browser.context.newPage();
    await page.goto(address);
    const seen = await page.evaluate<readonly Seen[]>(`(async () => {
      const seen = [];
      for (const { url, path, ...init } of ${JSON.stringify(requests)}) {
        const answer = await fetch(url, init).catch((error) => ({ status: 0, text: () => String(error) }));
        seen.push({ status: answer.status, body: await answer.text() });
      }
      return seen;
    })()`);
    await page.close();
    return seen;
  }

  test("whose name resolves to 127.0.0.1 cannot read a key or a workspace, or invoke a function", async () => {
    const pageTries: readonly Try[] = [
      { path: "/api/workspaces", method: "GET", headers: {} },
      { path: "/v1/models", method: "GET", headers: {} },
    ];
    for (const port of ports) {
      const requests = [...tries(), ...pageTries].map((one) => ({ ...one, url: one.path }));
      const seen = await seenFrom(`http://${evil}:${port}/nothing`, requests);
      expect(seen).toHaveLength(requests.length);
      expect(seen.filter(({ status }) => status !== 403)).toEqual([]);
    }
  });

  test("from another site cannot queue a job with any kind of body", async () => {
    const { port } = site.address() as { readonly port: number };
    const workspaces = async () =>
      ((await (await fetch(`${studioUrl}/api/workspaces`)).json()) as object[]).length;
    const before = await workspaces();
    const body = JSON.stringify({ text: "Spend money" });
    const requests = ["text/plain", "application/json", "application/x-www-form-urlencoded"].flatMap((type) =>
      ["cors", "no-cors"].map((mode) => ({
        path: "",
        url: `${studioUrl}/api/workspaces`,
        method: "POST",
        mode,
        headers: { "content-type": type },
        body,
      })),
    );
    const seen = await seenFrom(`http://${evil}:${port}/`, requests);
    expect(seen.map(({ status }) => status)).toEqual(requests.map(() => 0));
    expect(await workspaces()).toBe(before);
  });
});
