import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import { readAsset } from "../studio/assets.ts";
import { check, json, Refusal } from "../studio/http.ts";
import type { TableRoute } from "../studio/page-server.ts";
import { drawDashboard } from "./draw.ts";
import { localCommands, withLocalCommands } from "./local-commands.ts";
import { createLogCache } from "./log-cache.ts";
import type { DashboardSource } from "./source.ts";
import type { DashboardView } from "./view.ts";

/** The time ranges that the page offers. */
const ranges: Readonly<Record<string, string>> = {
  "15": "15 minutes",
  "60": "hour",
  "180": "3 hours",
  "1440": "day",
};

const querySchema = z.object({
  name: z.string().optional(),
  minutes: z.enum(["15", "60", "180", "1440"]).default("15"),
});

const runbookFile = resolve(import.meta.dirname, "../../docs/runbook.md");

export interface DashboardPlace {
  /** The address of Studio's page. */
  readonly studioUrl: string;
  /** The stack's folder, if it is not the default one. */
  readonly stateDir?: string | undefined;
  /** The model is the offline one, whose prices are invented. */
  readonly isInvented?: boolean | undefined;
}

/**
 * The routes listed in view.ts.
 * @param find `undefined` while the stack is starting
 */
export function dashboardRoutes(
  clock: Clock,
  find: () => DashboardSource | undefined,
  { studioUrl, stateDir, isInvented }: DashboardPlace,
): readonly TableRoute<unknown>[] {
  const withLogCache = createLogCache(clock);
  const source = (): DashboardSource => {
    const found = find();
    if (found === undefined)
      throw new Refusal(503, "The stack is starting. Its dashboard will be available in a moment.");
    return withLogCache(found);
  };
  return [
    { method: "GET", path: "/dashboard", handle: () => readAsset("dashboard/index.html") },
    { method: "GET", path: "/dashboard/runbook", handle: () => readAsset("dashboard/runbook.html") },
    {
      method: "GET",
      path: "/api/dashboard",
      handle: (_, { query }) => {
        const { name, minutes } = check(querySchema, Object.fromEntries(query));
        const endMs = clock.now();
        const range = { startMs: endMs - Number(minutes) * 60_000, endMs };
        const rangeText = ranges[minutes] ?? "";
        const view = drawDashboard(source(), { name, range, rangeText, isInvented });
        if (view === undefined) throw new Refusal(404, `there is no dashboard ${name}`);
        return json(200, withLocalCommands({ ...view, studioUrl }, stateDir) satisfies DashboardView);
      },
    },
    {
      method: "GET",
      path: "/api/runbook",
      handle: async () => {
        const markdown = await readFile(runbookFile, "utf8").catch(() => {
          throw new Refusal(404, "docs/runbook.md does not exist");
        });
        return json(200, { markdown: localCommands(markdown, stateDir) });
      },
    },
  ];
}
