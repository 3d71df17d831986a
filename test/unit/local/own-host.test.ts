import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { startCloud } from "../../../local/cloud/cloud.ts";
import { dashboardRoutes } from "../../../local/dashboard/routes.ts";
import { startPagesServer } from "../../../local/pages-server.ts";
import { startModel } from "../../../local/model/server.ts";
import { startStudio } from "../../../local/studio/server.ts";
import { fakeSource } from "../../support/dashboard-source.ts";
import { rawRequest } from "../../support/raw-request.ts";

const folder = mkdtempSync(join(tmpdir(), "own-host-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Started {
  /** An address that answers without a credential. */
  readonly url: string;
  readonly close: () => Promise<unknown>;
}

const clock = systemClock;

async function studio(path: string): Promise<Started> {
  const { url, close } = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: Math.random,
    accountToken: "account",
    info: { kind: "canned", name: "canned" },
  });
  return { url: `${url}${path}`, close };
}

const servers: readonly (readonly [string, () => Promise<Started>])[] = [
  ["the local Studio's page", () => studio("/")],
  ["the local Studio's API for runners", () => studio("/leaseWorkspaceJob")],
  ["the local Studio's sign-in", () => studio("/v1/token")],
  [
    "the dashboard of a stack with another Studio",
    async () => {
      const routes = dashboardRoutes(clock, () => fakeSource(), { studioUrl: "/" });
      const { url, close } = await startPagesServer(routes, 0);
      return { url: `${url}/dashboard`, close };
    },
  ],
  ["the offline model", () => startModel({ clock })],
  [
    "the local cloud",
    async () => {
      const templateFile = join(folder, "Empty.template.json");
      writeFileSync(templateFile, JSON.stringify({ Resources: {} }));
      const cloud = await startCloud({ templateFile, clock, secrets: {} });
      const close = () => cloud.stop({ graceMs: 0 });
      return { url: `${cloud.endpointUrl}/.well-known/jwks.json`, close };
    },
  ],
];

describe.each(servers)("%s", (_, start) => {
  it("accepts only 127.0.0.1, localhost and [::1] with its own port as the Host", async () => {
    const { url, close } = await start();
    onTestFinished(async () => void (await close()));
    const { port } = new URL(url);
    const ask = (host: string) => rawRequest(url, { headers: { host } });
    for (const host of [
      `evil.example:${port}`,
      "evil.example",
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example:${port}`,
      "127.0.0.1:1",
      "localhost",
      `0.0.0.0:${port}`,
    ]) {
      const { status, body } = await ask(host);
      expect({ host, status }).toEqual({ host, status: 403 });
      expect(body).toContain("answers as 127.0.0.1 or localhost only");
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      expect((await ask(host)).status).not.toBe(403);
    }
  });
});
