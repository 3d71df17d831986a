import { afterEach, beforeEach, expect } from "vitest";
import { startStudio, type StudioOptions } from "../../../local/studio/server.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

/** 2025-11-20T12:00:00Z */
export const noonMs = 1_763_640_000_000;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Untyped: each test knows what it asked for. */
  readonly json: ReturnType<typeof JSON.parse>;
}

export type Fixture = Awaited<ReturnType<typeof startFixture>>;

export const accountToken = "account-token";

export async function startFixture(options: Partial<StudioOptions> = {}) {
  const clock = createFakeClock(noonMs);
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: () => 0.5,
    accountToken,
    info: { kind: "canned", name: "offline" },
    control: true,
    ...options,
  });
  const userKey = studio.createKey("user").runnerToken;
  /** A call with any method, headers and raw body. */
  const send = async (path: string, init: RequestInit = {}): Promise<Reply> => {
    const response = await fetch(studio.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  };
  /** A runner's call: POST with the key and a JSON body. */
  const post = (path: string, body: unknown = {}, token = userKey) =>
    send(path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    studio,
    clock,
    /** The key that `post` uses when none is given. */
    userKey,
    send,
    post,
    /** A call from the page, with a JSON body. */
    write: (method: string, path: string, body?: unknown) =>
      send(path, {
        method,
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    /** A lease call's answer. */
    lease: async (token?: string) => (await post("/leaseWorkspaceJob", {}, token)).json,
    /** Queues a new job and leases it; returns the workspace's id. */
    async leaseNew(text = "Plan a trip") {
      const workspaceId = studio.queueJob({ text });
      expect((await post("/leaseWorkspaceJob")).json.workspaceId).toBe(workspaceId);
      return workspaceId;
    },
    complete: (workspaceId: string, payload: object = messageOnly) =>
      post("/completeWorkspaceJob", { workspaceId, ...payload }),
    fail: (workspaceId: string, error: unknown = "no") => post("/failWorkspaceJob", { workspaceId, error }),
    /** The state of the workspace that changed last. */
    state: () => studio.snapshot()[0]?.state,
    close: () => studio.close(),
  };
}

/** A new fixture for each test of the file. */
export function useFixture(options: Partial<StudioOptions> = {}): Fixture {
  let fixture: Fixture | undefined;
  beforeEach(async () => {
    fixture = await startFixture(options);
  });
  afterEach(() => fixture?.close());
  return new Proxy({} as Fixture, { get: (_, name) => fixture && Reflect.get(fixture, name) });
}

/** A payload with every kind of deliverable. */
export const fullPayload = {
  assistantMessage: "Here: {{artifact:chart:share}} and {{artifact:checklist:todo}}",
  files: [{ name: "notes/plan.md", content: "# Plan\n\nüber" }],
  charts: [{ kind: "pie", id: "share", segments: [{ label: "A", value: 1 }] }],
  datasets: [{ kind: "table", id: "costs", columns: ["Item"], rows: [["Tea"]] }],
  svgs: [{ id: "dot", content: '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>' }],
  lists: [{ kind: "list", id: "steps", items: ["One"] }],
  checklists: [{ kind: "checklist", id: "todo", items: [{ id: "a", label: "Do it", checked: false }] }],
};

export const messageOnly = {
  assistantMessage: "Done.",
  files: [],
  charts: [],
  datasets: [],
  svgs: [],
  lists: [],
  checklists: [],
};
