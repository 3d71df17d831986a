/** The runbook's page: docs/runbook.md with an anchor at each heading, which alarms link to. */
import { sentenceOf } from "../api.js";
import { put } from "../dom.js";
import { mountHeader } from "../header.js";
import { renderMarkdown } from "../markdown.js";
import { createDashboardApi } from "./api.js";

/** @param {string | null} text @returns {string} as GitHub makes a heading's anchor */
const anchorOf = (text) =>
  (text ?? "")
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");

async function start() {
  const main = document.getElementById("main");
  const top = document.getElementById("top");
  if (!main || !top) throw new Error("runbook.html has no #main or #top");
  mountHeader({ root: top, name: "Runbook" });
  const api = createDashboardApi({ send: (input, init) => fetch(input, init) });
  try {
    const { markdown } = await api.runbook();
    put(main, renderMarkdown(markdown, { below: 1 }));
  } catch (error) {
    put(main, sentenceOf(error));
    return;
  }
  for (const heading of main.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    heading.id = anchorOf(heading.textContent);
  }
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

await start();
