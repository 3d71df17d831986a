/** The entry point of the pages about runs: reads the browser's globals and connects the parts. */
import { sentenceOf } from "../api.js";
import { h, put } from "../dom.js";
import { mountHeader } from "../header.js";
import { createRunsApi } from "./api.js";
import { followRuns } from "./follow.js";
import { createListView } from "./list.js";
import { createRunView } from "./run.js";
import { runnerBanner } from "./runner.js";

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

function start() {
  const api = createRunsApi({ send: (input, init) => fetch(input, init) });
  const header = mountHeader({ root: element("top"), name: "Runs", current: "/runs" });
  const live = h("span", { class: "live live-connecting" }, "Connecting");
  put(header.tools, live);
  const notice = element("notice");
  const announcer = element("announcer");
  const ports = {
    api,
    /** @param {string} sentence */
    announce(sentence) {
      announcer.textContent = sentence;
    },
  };
  const runId = runIdIn(location.pathname);
  const view = runId === null ? createListView(ports) : createRunView({ ...ports, runId });
  const banner = runnerBanner();
  put(element("main"), ...(runId === null ? [banner.element] : []), view.element);

  const load = async () => {
    try {
      const [, runner] = await Promise.all([view.load(), api.runner()]);
      header.setStudio(runner.studioUrl);
      view.setStudio(runner.studioUrl);
      banner.show(runner);
      if (notice.textContent !== "") notice.textContent = "";
    } catch (error) {
      const sentence = sentenceOf(error);
      if (notice.textContent !== sentence) notice.textContent = sentence;
    }
  };
  const following = followRuns({
    open: () => new EventSource("/api/runs/events"),
    schedule: (run, delayMs) => void setTimeout(run, delayMs),
    document,
    load,
    concerns: view.concerns,
    onConnection(isOpen) {
      live.className = `live live-${isOpen ? "open" : "lost"}`;
      live.textContent = isOpen ? "Live" : "Offline";
    },
  });
  view.onWanted(() => void following.now());
  setInterval(() => view.tick(Date.now()), 1_000);
}

/** @param {string} path @returns {string | null} null: the list's address */
function runIdIn(path) {
  const [, escaped] = /^\/runs\/([^/]+)$/.exec(path) ?? [];
  try {
    return escaped === undefined ? null : decodeURIComponent(escaped);
  } catch {
    return escaped ?? null;
  }
}

start();
