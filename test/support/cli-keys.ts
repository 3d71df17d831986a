import type { Clock } from "../../lib/core/clock.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import type { Stage } from "../../lib/adapters/secrets-manager.ts";
import type { Secrets } from "../../cli/context.ts";
import type { FakeCli } from "./cli.ts";

/** Secrets Manager in memory, by secret id. */
export interface FakeSecrets {
  readonly port: Secrets;
  /** Stores a value as if it had been there before. */
  set(secretId: string, text: string): void;
  value(secretId: string, stage?: Stage): string | undefined;
  stages(secretId: string): Readonly<Partial<Record<Stage, string>>>;
}

interface Kept {
  readonly values: Map<string, string>;
  readonly stages: Partial<Record<Stage, string>>;
}

function fakeSecrets(): FakeSecrets {
  const all = new Map<string, Kept>();
  let counter = 0;
  const kept = (id: string): Kept => {
    const found = all.get(id) ?? { values: new Map<string, string>(), stages: {} };
    all.set(id, found);
    return found;
  };
  const value = (id: string, stage: Stage = "AWSCURRENT"): string | undefined =>
    kept(id).values.get(kept(id).stages[stage] ?? "");
  const move = (id: string, stage: Stage, to: string | undefined): void => {
    const { stages } = kept(id);
    if (stage === "AWSCURRENT" && stages.AWSCURRENT) stages.AWSPREVIOUS = stages.AWSCURRENT;
    if (to === undefined) delete stages[stage];
    else stages[stage] = to;
  };
  const set = (id: string, text: string): void => {
    const versionId = `version-${++counter}`;
    kept(id).values.set(versionId, text);
    move(id, "AWSCURRENT", versionId);
  };
  const port: Secrets = {
    read: async (id) => {
      const text = value(id);
      if (text === undefined) throw new RunnerError("secret_missing", `the secret "${id}" has no value yet`);
      return text;
    },
    readStage: async (id, stage) => value(id, stage),
    readVersion: async (id, versionId) => kept(id).values.get(versionId),
    stages: async (id) => ({ ...kept(id).stages }),
    putStaged: async (id, { versionId, text, stage }) => {
      kept(id).values.set(versionId, text);
      move(id, stage, versionId);
      if (kept(id).stages.AWSCURRENT === undefined) move(id, "AWSCURRENT", versionId);
      return "stored";
    },
    put: async (id, text) => set(id, text),
    moveStage: async (id, { stage, to, from }) => {
      if (kept(id).stages[stage] !== from)
        throw new RunnerError("secrets_unavailable", `${stage} is on another version`);
      move(id, stage, to);
    },
  };
  return { port, set, value, stages: (id) => ({ ...kept(id).stages }) };
}

/** Studio, its sign-in and the model's provider. Tests change what they refuse. */
const freshWeb = () => ({
  /** Refused runner keys, by credential id. */
  refusedKeys: new Set<string>(),
  refusedModelKeys: new Set<string>(),
  /** The models that the provider's key has access to, with their shutdown dates. */
  models: new Map<string, string | null>([["gpt-6-luna", null]]),
  /** Hosts that do not answer. */
  silent: new Set<string>(),
  /** Runner instances at Studio that are not revoked. */
  instances: new Set<string>(),
  /** The refresh token that the sign-in returns instead of the given one. */
  renewed: undefined as string | undefined,
  /** Whether Studio refuses the account that signed in. */
  refusesAccount: false,
  /** The provider's error for a request for a response, instead of an answer. */
  refusal: undefined as { readonly status: number; readonly error: object } | undefined,
  /** Bodies of the requests for a response. */
  asked: [] as unknown[],
  requests: [] as string[],
});
export type FakeWeb = ReturnType<typeof freshWeb>;

const json = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

function answer(web: FakeWeb, address: string, init: RequestInit | undefined): Response {
  const url = new URL(address);
  web.requests.push(`${init?.method ?? "GET"} ${url.pathname}`);
  if (web.silent.has(url.host))
    throw Object.assign(new TypeError("fetch failed"), {
      cause: Object.assign(new Error(), { code: "ECONNREFUSED" }),
    });
  const credential = new Headers(init?.headers).get("authorization")?.replace("Bearer ", "") ?? "";
  const row = routes.find(({ path }) => path.test(url.pathname));
  return row
    ? row.answer(web, { url, credential, body: typeof init?.body === "string" ? init.body : "" })
    : json(404, {});
}

interface Asked {
  readonly url: URL;
  readonly credential: string;
  readonly body: string;
}

const routes: readonly {
  readonly path: RegExp;
  readonly answer: (web: FakeWeb, asked: Asked) => Response;
}[] = [
  {
    path: /\/heartbeatWorkspaceJob$/,
    answer: ({ refusedKeys }, { credential }) =>
      refusedKeys.has(credential.split(".")[0] ?? "")
        ? json(401, { error: "unauthorized" })
        : json(404, { error: "there is no such job" }),
  },
  {
    path: /\/createRunnerInstance$/,
    answer: ({ instances, refusesAccount }, { body }) => {
      if (refusesAccount) return json(403, { error: "forbidden" });
      const id = `minted${instances.size + 1}`;
      const instanceId = `instance-${id}`;
      instances.add(instanceId);
      const { kind, name } = JSON.parse(body) as { kind: string; name: string };
      const runnerToken = `${id}.secret-of-${id}`;
      return json(200, { instanceId, credentialId: id, runnerToken, kind, name });
    },
  },
  {
    path: /\/revokeRunnerInstance$/,
    answer: ({ instances }, { body }) => {
      const { instanceId } = JSON.parse(body) as { instanceId: string };
      return instances.delete(instanceId) ? json(200, {}) : json(404, { error: "none" });
    },
  },
  {
    path: /\/v1\/token$/,
    answer: ({ renewed }, { body }) => {
      const token = new URLSearchParams(body).get("refresh_token");
      if (token === "revoked") return json(400, { error: { message: "INVALID_REFRESH_TOKEN" } });
      return json(200, { id_token: "account-token", refresh_token: renewed ?? token });
    },
  },
  {
    path: /\/responses$/,
    answer: ({ asked, refusal }, { body }) => {
      asked.push(JSON.parse(body));
      return refusal ? json(refusal.status, { error: refusal.error }) : json(200, { id: "resp_1" });
    },
  },
  {
    path: /\/models\/[^/]+$/,
    answer: ({ models, refusedModelKeys }, { url, credential }) => {
      const id = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
      if (refusedModelKeys.has(credential)) return json(401, { error: {} });
      if (!models.has(id)) return json(404, { error: {} });
      return json(200, { id, object: "model", shutdown_date: models.get(id) });
    },
  },
];

/** A clock on which time limits never expire, and shorter waits before another try end at once. */
export const patientClock = (cli: FakeCli): Clock => ({
  now: () => cli.nowMs,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (ms < 5_000) return resolve();
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
});

/**
 * Sets the standard input of the next commands. `undefined`: a terminal, whose hidden prompt returns `typed`.
 */
export function giveInput(cli: FakeCli, text: string | undefined, typed = ""): void {
  Object.assign(cli.edges, {
    input: { isTerminal: text === undefined, readAll: () => Promise.resolve(text ?? "") },
    prompts: { hidden: () => Promise.resolve(typed) },
  });
}

/** Connects the fake secrets and web to the commands. */
export function connectKeys(cli: FakeCli): { readonly secrets: FakeSecrets; readonly web: FakeWeb } {
  const [secrets, web] = [fakeSecrets(), freshWeb()];
  cli.fetch = async (input, init) =>
    answer(web, input instanceof Request ? input.url : input.toString(), init);
  cli.secrets = secrets.port;
  return { secrets, web };
}
