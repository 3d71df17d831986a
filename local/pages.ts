import { join } from "node:path";
import type { LocalCloud } from "./cloud/local-cloud.ts";
import { cloudSource } from "./dashboard/cloud-source.ts";
import { dashboardRoutes } from "./dashboard/routes.ts";
import type { DashboardSource } from "./dashboard/source.ts";
import type { LocalOptions } from "./options.ts";
import { startPagesServer } from "./pages-server.ts";
import { createRunFeed, type RunFeed } from "./runs/feed.ts";
import { openLocalContext } from "./runs/local-context.ts";
import { runRoutes } from "./runs/routes.ts";
import { createRunsSource, type KnownOfRuns, type RunsSource } from "./runs/source.ts";
import type { StackPorts } from "./stack.ts";
import type { StudioInfo } from "./studio/page-api.ts";
import type { TableRoute } from "./studio/page-server.ts";
import { startStudio, type LocalStudio, type StudioOptions } from "./studio/server.ts";

/** Short, so that a job whose processor was killed returns while its developer is watching. */
const watchableLeaseMs = 60_000;

interface Shown {
  readonly info: StudioInfo["model"];
  /** `undefined` while the cloud is starting. */
  readonly cloud: () => LocalCloud | undefined;
}

interface Pages {
  /** Takes the cloud's events, for the pages that are live. */
  readonly onEvent: StackPorts["onEvent"];
  readonly studio: LocalStudio | undefined;
  readonly pagesUrl: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves the local Studio with the runner's own pages next to its page, or only the runner's if another Studio
 * is used.
 */
export async function openPages(options: LocalOptions, ports: StackPorts, shown: Shown): Promise<Pages> {
  const closing = new AbortController();
  const feed = createRunFeed();
  const onEvent: StackPorts["onEvent"] = (event) => {
    feed.observe(event);
    ports.onEvent(event);
  };
  const opened: { studio?: LocalStudio } = {};
  const known: KnownOfRuns = {
    progressOf: (runId) => feed.progressOf(runId),
    nameOf: (workspaceId) => opened.studio?.nameOf(workspaceId),
  };
  const runnerPages = routesOf(options, ports, { ...shown, feed, known, signal: closing.signal });
  const closed = async (server: { close(): Promise<void> }): Promise<void> => {
    closing.abort();
    await server.close();
  };
  if (!options.studio) {
    const studio = await openStudio(options, ports, { info: shown.info, runnerPages, runFeed: feed });
    opened.studio = studio;
    return { onEvent, studio, pagesUrl: options.once ? undefined : studio.url, close: () => closed(studio) };
  }
  if (options.once)
    return { onEvent, studio: undefined, pagesUrl: undefined, close: async () => closing.abort() };
  const server = await startPagesServer(runnerPages, options.port);
  return { onEvent, studio: undefined, pagesUrl: server.url, close: () => closed(server) };
}

interface Feeding {
  readonly feed: RunFeed;
  readonly known: KnownOfRuns;
  readonly signal: AbortSignal;
}

/** The runner's own pages: `/runs` and `/dashboard`. */
function routesOf(
  options: LocalOptions,
  { clock }: StackPorts,
  { info, feed, known, cloud, signal }: Shown & Feeding,
): readonly TableRoute<unknown>[] {
  const studioUrl = options.studio?.baseUrl ?? "/";
  const dashboard = (): DashboardSource | undefined => {
    const running = cloud();
    return running && cloudSource(running);
  };
  let opened: Promise<RunsSource> | undefined;
  const open = async (running: LocalCloud): Promise<RunsSource> =>
    createRunsSource(await openLocalContext(running, { clock, signal, stateDir: options.stateDir }), known);
  const runs = (): Promise<RunsSource> | undefined => {
    const running = cloud();
    return running && (opened ??= open(running));
  };
  return [
    ...runRoutes({ clock, signal, feed, source: runs, studioUrl }),
    ...dashboardRoutes(clock, dashboard, {
      studioUrl,
      stateDir: options.stateDir,
      isInvented: info.kind === "canned",
    }),
  ];
}

function openStudio(
  options: LocalOptions,
  ports: StackPorts,
  page: Pick<StudioOptions, "info" | "runnerPages" | "runFeed">,
): Promise<LocalStudio> {
  return startStudio({
    file: join(ports.stateDir, "studio.sqlite"),
    // A run with --once needs no fixed address, and should not conflict with another stack.
    port: options.once ? 0 : options.port,
    clock: ports.clock,
    random: ports.random,
    leaseMs: ports.tuning?.leaseMs ?? watchableLeaseMs,
    accountToken: ports.newSecret(),
    ...page,
  });
}
