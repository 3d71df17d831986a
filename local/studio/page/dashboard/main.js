/** The entry point of the dashboard page: reads the browser's globals and connects the parts. */
import { put } from "../dom.js";
import { mountHeader } from "../header.js";
import { runnerBanner } from "../runs/runner.js";
import { createDashboardApi } from "./api.js";
import { mountGrid } from "./grid.js";
import { startRefreshing } from "./refresh.js";
import { mountTools } from "./tools.js";

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

function start() {
  const api = createDashboardApi({ send: (input, init) => fetch(input, init) });
  const address = new URL(location.href);
  const wanted = {
    name: address.searchParams.get("name"),
    minutes: address.searchParams.get("minutes") ?? "15",
  };
  const notice = element("notice");
  const header = mountHeader({ root: element("top"), name: "Dashboard", current: "/dashboard" });
  const banner = runnerBanner();
  put(element("runner"), banner.element);
  const grid = mountGrid({ root: element("main") });
  const tools = mountTools({
    root: header.tools,
    wanted,
    onChange(change) {
      Object.assign(wanted, change);
      for (const [name, value] of Object.entries(change)) address.searchParams.set(name, value);
      history.replaceState(null, "", address);
      refreshing.now();
    },
  });
  const refreshing = startRefreshing({
    load: () => Promise.all([api.dashboard(wanted), api.runner()]),
    isHidden: () => document.hidden,
    schedule: (run, delayMs) => setTimeout(run, delayMs),
    cancel: (timer) => clearTimeout(timer),
    onView([view, runner]) {
      if (notice.textContent !== "") notice.textContent = "";
      header.setStudio(view.studioUrl);
      if (runner !== null) banner.show(runner);
      tools.show(view);
      grid.show(view);
    },
    onProblem(sentence) {
      if (notice.textContent !== sentence) notice.textContent = sentence;
      tools.lost();
    },
  });
  document.addEventListener("visibilitychange", () => refreshing.now());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => grid.redraw());
}

start();
