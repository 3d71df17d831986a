/**
 * The stream of workspace changes. The browser reopens a dropped stream by itself, but not one that the server refused,
 * so that one is reopened here with growing pauses.
 * @import { WorkspaceSummary } from "../page-api.ts"
 * @import { RunChange } from "../../runs/view.ts"
 * @param {object} ports
 * @param {() => EventSource} ports.open
 * @param {(run: () => void, delayMs: number) => void} ports.schedule
 * @param {(summary: WorkspaceSummary) => void} ports.onWorkspace
 * @param {(workspaceId: string) => void} ports.onDeleted
 * @param {(change: RunChange) => void} ports.onRun
 * @param {() => void} ports.onOpen
 * @param {() => void} ports.onLost
 */
export function listenToEvents({ open, schedule, onWorkspace, onDeleted, onRun, onOpen, onLost }) {
  let refusals = 0;
  const connect = () => {
    const source = open();
    source.addEventListener("workspace", (event) => onWorkspace(JSON.parse(event.data)));
    source.addEventListener("deleted", (event) => onDeleted(JSON.parse(event.data).workspaceId));
    source.addEventListener("run", (event) => onRun(JSON.parse(event.data)));
    source.addEventListener("open", () => {
      refusals = 0;
      onOpen();
    });
    source.addEventListener("error", () => {
      onLost();
      if (source.readyState !== EventSource.CLOSED) return;
      refusals += 1;
      schedule(connect, Math.min(15_000, 500 * 2 ** refusals));
    });
  };
  connect();
}
