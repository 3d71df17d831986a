import * as z from "zod";
import { type Faults, faultRuleSchema } from "./faults.ts";
import { check, json } from "./http.ts";
import type { Jobs } from "./jobs.ts";
import type { Journal } from "./journal.ts";
import type { Keys } from "./keys.ts";
import { newWorkspaceSchema, type TableRoute } from "./page-server.ts";
import { instanceSchema, newInstanceSchema } from "./runner-api.ts";

export interface ControlDeps {
  readonly jobs: Jobs;
  readonly keys: Keys;
  readonly faults: Faults;
  readonly journal: Journal;
}

const ideaSchema = z.object({
  legacyIdea: z.string(),
  title: z.string().optional(),
  target: z.enum(["user", "global"]).optional(),
});
const stealSchema = z.object({
  workspaceId: z.string().min(1),
  to: z.enum(["other", "nobody", "time"]).default("other"),
});

/**
 * Routes with which tests and other processes control a local Studio. They exist only with the option
 * `control`.
 */
export const controlRoutes: readonly TableRoute<ControlDeps>[] = [
  {
    method: "POST",
    path: "/_local/faults",
    handle: (deps, { body }) => {
      deps.faults.add(check(faultRuleSchema, body));
      return json(201, { ok: true });
    },
  },
  {
    method: "DELETE",
    path: "/_local/faults",
    handle: (deps) => {
      deps.faults.clear();
      return json(200, { ok: true });
    },
  },
  { method: "GET", path: "/_local/faults", handle: (deps) => json(200, deps.faults.log()) },
  { method: "GET", path: "/_local/requests", handle: (deps) => json(200, deps.journal.entries()) },
  {
    method: "POST",
    path: "/_local/jobs",
    handle: (deps, { body }) => {
      const job = "legacyIdea" in body ? check(ideaSchema, body) : check(newWorkspaceSchema, body);
      return json(201, { workspaceId: deps.jobs.queue(job) });
    },
  },
  {
    method: "POST",
    path: "/_local/keys",
    handle: (deps, { body }) => {
      const { kind, name } = check(newInstanceSchema, body);
      return json(201, deps.keys.create(kind, name));
    },
  },
  {
    method: "POST",
    path: "/_local/revoke",
    handle: (deps, { body }) => {
      deps.keys.revoke(check(instanceSchema, body).instanceId);
      return json(200, { ok: true });
    },
  },
  {
    method: "POST",
    path: "/_local/steal",
    handle: (deps, { body }) => {
      const { workspaceId, to } = check(stealSchema, body);
      deps.jobs.steal(workspaceId, to);
      return json(200, { ok: true });
    },
  },
];
