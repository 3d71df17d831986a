import * as z from "zod";
import { faultRuleSchema } from "./faults.ts";
import { check, json } from "./http.ts";
import { newWorkspaceSchema, type TableRoute } from "./page-server.ts";
import type { StudioPorts } from "./ports.ts";
import { instanceSchema, newInstanceSchema } from "./runner-api.ts";

type ControlPorts = Pick<StudioPorts, "jobs" | "keys" | "faults" | "journal">;

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
export const controlRoutes: readonly TableRoute<ControlPorts>[] = [
  {
    method: "POST",
    path: "/_local/faults",
    handle: (ports, { body }) => {
      ports.faults.add(check(faultRuleSchema, body));
      return json(201, { ok: true });
    },
  },
  {
    method: "DELETE",
    path: "/_local/faults",
    handle: (ports) => {
      ports.faults.clear();
      return json(200, { ok: true });
    },
  },
  { method: "GET", path: "/_local/faults", handle: (ports) => json(200, ports.faults.log()) },
  { method: "GET", path: "/_local/requests", handle: (ports) => json(200, ports.journal.entries()) },
  {
    method: "POST",
    path: "/_local/jobs",
    handle: (ports, { body }) => {
      const job = "legacyIdea" in body ? check(ideaSchema, body) : check(newWorkspaceSchema, body);
      return json(201, { workspaceId: ports.jobs.queue(job) });
    },
  },
  {
    method: "POST",
    path: "/_local/keys",
    handle: (ports, { body }) => {
      const { kind, name } = check(newInstanceSchema, body);
      return json(201, ports.keys.create(kind, name));
    },
  },
  {
    method: "POST",
    path: "/_local/revoke",
    handle: (ports, { body }) => {
      ports.keys.revoke(check(instanceSchema, body).instanceId);
      return json(200, { ok: true });
    },
  },
  {
    method: "POST",
    path: "/_local/steal",
    handle: (ports, { body }) => {
      const { workspaceId, to } = check(stealSchema, body);
      ports.jobs.steal(workspaceId, to);
      return json(200, { ok: true });
    },
  },
];
