import * as z from "zod";
import { CliError } from "../../cli/errors.ts";
import { isRunId } from "../../cli/job-ids.ts";
import { id } from "../../cli/values.ts";
import type { Clock } from "../../lib/core/clock.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import { readAsset } from "../studio/assets.ts";
import { streamEvents } from "../studio/events.ts";
import { check, json, Refusal, type Answer } from "../studio/http.ts";
import type { RouteCall, TableRoute } from "../studio/page-server.ts";
import type { RunFeed } from "./feed.ts";
import { wantedStates, type RunsSource } from "./source.ts";
import type { RunnerView } from "./view.ts";

const runIdSchema = z.string().refine(isRunId, "that is no run's id");
const runParams = z.object({ id: runIdSchema });
const workspaceParams = z.object({ id: id() });
const runsQuery = z.object({
  state: z.enum(wantedStates).optional(),
  q: z.string().max(200).optional(),
  before: runIdSchema.optional(),
});
const runnerQuery = z.object({ workspace: id().optional() });

export interface RunPages {
  readonly clock: Clock;
  /** Aborts when the pages close. */
  readonly signal: AbortSignal;
  readonly feed: Pick<RunFeed, "subscribe">;
  /** `undefined` while the stack is starting. */
  readonly source: () => Promise<RunsSource> | undefined;
  /** The address of Studio's page. */
  readonly studioUrl: string;
}

/** The routes listed in view.ts. */
export function runRoutes({
  clock,
  signal,
  feed,
  source: find,
  studioUrl,
}: RunPages): readonly TableRoute<unknown>[] {
  const source = async (): Promise<RunsSource> => {
    const found = await find();
    if (found === undefined)
      throw new Refusal(503, "The stack is starting. Its runs will be here in a moment.");
    return found;
  };
  return [
    { method: "GET", path: "/runs", handle: page },
    { method: "GET", path: "/runs/:id", handle: page },
    get("/api/runs", async ({ query }) => (await source()).runs(check(runsQuery, given(query)))),
    {
      method: "GET",
      path: "/api/runs/events",
      handle: () =>
        streamEvents({ clock, signal }, (write) => feed.subscribe((change) => write("run", change))),
    },
    get("/api/runs/:id", async ({ params }) => (await source()).run(check(runParams, params).id)),
    {
      method: "POST",
      path: "/api/runs/:id/cancel",
      handle: async (_, { params }) => {
        const { id: runId } = check(runParams, params);
        return json(200, { sentence: await orRefuse(async () => (await source()).cancel(runId)) });
      },
    },
    get("/api/workspaces/:id/runs", async ({ params }) =>
      (await source()).ofWorkspace(check(workspaceParams, params).id),
    ),
    get("/api/runner", async ({ query }): Promise<RunnerView> => {
      const runner = await source();
      const now = await runner.now(check(runnerQuery, given(query)).workspace);
      const command = now.remedy?.command;
      return { studioUrl, now, command: command === undefined ? null : runner.commandLine(command) };
    }),
  ];
}

const get = (path: string, handle: (call: RouteCall) => Promise<unknown>): TableRoute<unknown> => ({
  method: "GET",
  path,
  handle: async (_, call) => json(200, await orRefuse(() => handle(call))),
});

const page = (): Promise<Answer> => readAsset("runs/index.html");

/** Without empty values, which a form sends for what is not chosen. */
const given = (query: URLSearchParams): Readonly<Record<string, string>> =>
  Object.fromEntries([...query].filter(([, value]) => value !== ""));

const statuses: Readonly<Record<string, number>> = { not_found: 404, refused: 409, usage: 400 };

/** @throws Refusal for what the command line would say */
async function orRefuse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isExpected = error instanceof CliError || error instanceof RunnerError;
    if (!isExpected || error.code === "internal") throw error;
    throw new Refusal(statuses[error.code] ?? 503, error.message);
  }
}
