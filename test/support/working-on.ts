import type { CloudEvent } from "../../local/cloud/events.ts";
import { isMetricLine, parseLogLine } from "../../cli/parse-log-line.ts";
import { eventually } from "./eventually.ts";

/** The ways in which an invocation ends. */
const endKinds: ReadonlySet<CloudEvent["kind"]> = new Set(["end", "error", "timeout", "killed", "crash"]);

/** The invocation that works for the workspace now. */
function workingOn(events: readonly CloudEvent[], workspaceId: string): string | undefined {
  const ended = new Set(
    events.flatMap((one) => (endKinds.has(one.kind) && "requestId" in one ? [one.requestId] : [])),
  );
  const began = events.findLast((one) => {
    if (one.kind !== "log" || isMetricLine(one.line)) return false;
    const line = parseLogLine(one.line);
    return (
      line?.message === "attempt_started" && line.workspaceId === workspaceId && !ended.has(one.requestId)
    );
  });
  return began?.kind === "log" ? began.requestId : undefined;
}

/** The process that works for the workspace, as soon as its present attempt has started. */
async function workerOf(
  events: readonly CloudEvent[],
  workspaceId: string,
): Promise<{ readonly pid: number; readonly requestId: string }> {
  const requestId = await eventually(`an attempt for ${workspaceId}`, () => workingOn(events, workspaceId));
  const invoked = events.find((one) => one.kind === "invoke" && one.requestId === requestId);
  if (invoked?.kind !== "invoke") throw new Error("an attempt without an invocation");
  return { pid: invoked.pid, requestId };
}

/** Freezes the process that works for the workspace. Returns a function that lets it continue. */
export async function freezeWorker(events: readonly CloudEvent[], workspaceId: string): Promise<() => void> {
  const { pid } = await workerOf(events, workspaceId);
  process.kill(pid, "SIGSTOP");
  return () => void process.kill(pid, "SIGCONT");
}

/**
 * Signals the process that works for the workspace, as soon as its present attempt has started. Returns when
 * its invocation had ended.
 */
export async function killWorker(
  events: readonly CloudEvent[],
  workspaceId: string,
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<number> {
  const { pid, requestId } = await workerOf(events, workspaceId);
  process.kill(pid, signal);
  const isItsEnd = (one: CloudEvent): boolean =>
    endKinds.has(one.kind) && "requestId" in one && one.requestId === requestId;
  return (await eventually("the end of the attempt", () => events.find(isItsEnd))).atMs;
}
