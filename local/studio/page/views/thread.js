/**
 * @import { ThreadMessage, WorkspaceDetail, WorkspaceSummary } from "../../page-api.ts"
 * @import { Actions } from "../actions.js"
 * @import { Drafts } from "../drafts.js"
 * @import { IconName } from "../dom.js"
 * @import { RunsApi } from "../runs/api.js"
 * @import { Store } from "../state.js"
 * @import { DrawnMessage, MessageContext } from "./messages.js"
 */
import { h, icon, put } from "../dom.js";
import { nameOf } from "../state.js";
import { cannedLabel } from "./canned.js";
import { createComposer } from "./composer.js";
import { drawMessage, keyOf } from "./messages.js";
import { badge, pill } from "./pill.js";
import { createWorkspaceRuns } from "./workspace-runs.js";
import { openDelete, openRename } from "./workspace-dialogs.js";

/**
 * One workspace: its messages, what happens now, and a field for a follow-up.
 * @param {string} id
 * @param {{ store: Store, actions: Actions, drafts: Drafts, runsApi: RunsApi }} ports
 */
export function threadView(id, { store, actions, drafts, runsApi }) {
  const composer = followUp(id, { actions, drafts });
  const workspace = () => store.get().summaries?.find((one) => one.workspaceId === id);
  const { element, heading, tags, problem, canned, list, scroller, showMissing } = frame(
    composer.element,
    headButtons(id, { workspace, actions, drafts }),
  );
  const runs = createWorkspaceRuns(id, runsApi);
  const messages = createMessages(list, {
    pending: runs.pending,
    runLine: runs.lineFor,
    tick: (tick) => actions.tick(id, tick),
    async retry() {
      await actions.retry(id);
      heading.focus(); // the button is gone
    },
    name: () => nameIn(workspace()),
    lastText: () => lastTextIn(store.get().detail),
    reuse(text) {
      composer.setText(text);
      composer.field.focus();
    },
  });

  /** @type {WorkspaceDetail | null} */
  let shown = null;
  const update = () => {
    const { detail: open, detailError, info, runChange } = store.get();
    const detail = open?.workspaceId === id ? open : null;
    const summary = detail ?? workspace();
    showMissing(detailError?.isMissing ? detailError.sentence : null);
    put(canned, cannedLabel(info));
    put(heading, summary ? nameOf(summary) : "Workspace");
    put(tags, summary && badge(summary.target), summary && pill(summary));
    put(
      problem,
      failureOf({ detail, sentence: detailError?.sentence, retry: () => void actions.loadDetail() }),
    );
    runs.onInfo(info?.runnerPages ?? false);
    runs.onChange(runChange);
    if (!detail || detail === shown) return;
    shown = detail;
    runs.onDetail(detail);
    const { isFirst, arrived } = messages.show(detail);
    scrollTo(scroller, isFirst ? lastQuestion(list) : arrived);
  };
  const destroy = () => {
    messages.destroy();
    runs.close();
  };
  return { element, update, ready: () => composer.fit(), destroy };
}

/**
 * @param {string} id
 * @param {{ actions: Actions, drafts: Drafts }} ports
 */
const followUp = (id, { actions, drafts }) =>
  createComposer({
    label: "Follow-up message",
    placeholder: "Send a follow-up…",
    submitLabel: "Send",
    rows: 1,
    drafts,
    draftKey: id,
    submit: (text) => actions.send(id, text),
  });

/** @param {WorkspaceDetail | null} detail */
const lastTextIn = (detail) => detail?.messages.findLast((message) => message.role === "user")?.text ?? "";

/** @param {WorkspaceSummary | undefined} summary */
const nameIn = (summary) => nameOf(summary ?? { title: null, preview: "" });

/**
 * @param {string} id
 * @param {{ workspace: () => WorkspaceSummary | undefined, actions: Actions, drafts: Drafts }} ports
 */
function headButtons(id, { workspace, actions, drafts }) {
  const rename = () =>
    openRename({
      title: workspace()?.title ?? "",
      rename: (title) => actions.rename(id, title),
    });
  const remove = () =>
    openDelete({
      name: nameIn(workspace()),
      remove: () => actions.remove(id),
      onRemoved() {
        drafts.write(id, "");
        actions.showStart();
      },
    });
  return [headButton("rename", "Rename", rename), headButton("trash", "Delete", remove)];
}

/**
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} onclick
 */
function headButton(name, label, onclick) {
  const props = { type: "button", class: "button button-quiet", "aria-label": label, title: label, onclick };
  return h("button", props, icon(name));
}

/**
 * @param {HTMLElement} composer
 * @param {readonly HTMLElement[]} buttons
 */
function frame(composer, buttons) {
  const heading = h("h2", { class: "thread-title", tabindex: -1 });
  const tags = h("div", { class: "thread-tags" });
  const problem = h("div", { class: "thread-problem" });
  const canned = h("div", { class: "thread-canned" });
  const list = h("ol", { class: "messages" });
  const scroller = h(
    "section",
    { class: "thread-scroll", tabindex: 0, "aria-label": "Messages" },
    problem,
    canned,
    list,
  );
  const back = h(
    "a",
    { class: "button button-quiet back", href: "#/", "aria-label": "All workspaces" },
    icon("back"),
  );
  const parts = [
    h(
      "div",
      { class: "thread-head" },
      back,
      heading,
      tags,
      h("div", { class: "thread-buttons" }, ...buttons),
    ),
    scroller,
    h("div", { class: "thread-foot" }, composer),
  ];
  const element = h("div", { class: "thread" }, ...parts);
  /** @type {string | null} */
  let shownSentence = null;
  /** @param {string | null} sentence why the workspace cannot be shown */
  const showMissing = (sentence) => {
    if (sentence === shownSentence) return;
    shownSentence = sentence;
    element.className = sentence === null ? "thread" : "empty";
    put(element, ...(sentence === null ? parts : missing(sentence)));
  };
  return { element, heading, tags, problem, canned, list, scroller, showMissing };
}

/** @param {string} sentence */
const missing = (sentence) => [
  h("div", { role: "alert" }, h("h2", { tabindex: -1 }, sentence)),
  h("p", {}, "It may have been deleted, or its address has a typing error."),
  h("a", { class: "button button-primary", href: "#/new" }, "Start a new workspace"),
  h("a", { class: "button button-quiet empty-back", href: "#/" }, "All workspaces"),
];

/**
 * Where to start reading: `undefined` means the top, for a thread with one question.
 * @param {HTMLElement} list
 */
function lastQuestion(list) {
  const last = [...list.querySelectorAll(".message-user")].at(-1);
  return last === list.firstElementChild ? undefined : last;
}

/**
 * @param {HTMLElement} scroller
 * @param {Element | undefined} target
 */
function scrollTo(scroller, target) {
  if (!(target instanceof HTMLElement)) return;
  const gap = 20;
  scroller.scrollTo({ top: target.offsetTop - scroller.offsetTop - gap });
}

/**
 * @param {{ detail: WorkspaceDetail | null, sentence: string | undefined, retry: () => void }} what
 */
function failureOf({ detail, sentence, retry }) {
  if (sentence !== undefined) {
    const again = h("button", { type: "button", class: "button button-small", onclick: retry }, "Try again");
    return h("div", { class: "problem", role: "alert" }, h("span", {}, sentence), again);
  }
  return detail ? null : h("p", { class: "quiet" }, "Loading…");
}

/**
 * The drawn messages. An unchanged message keeps its element, and with it charts, focus and open data tables.
 * @param {HTMLElement} list
 * @param {MessageContext & { pending: HTMLElement }} context `pending` comes last, unless it is hidden
 */
function createMessages(list, { pending, ...context }) {
  /** @type {Map<string, DrawnMessage>} */
  const drawn = new Map();

  /** @param {ThreadMessage} message */
  const drawOne = (message) => {
    const known = drawn.get(message.id);
    if (known && known.key === keyOf(message)) {
      known.update(message);
      return null;
    }
    const next = drawMessage(message, context);
    if (known) known.element.replaceWith(next.element);
    else list.insertBefore(next.element, pending.parentNode === list ? pending : null);
    known?.destroy();
    drawn.set(message.id, next);
    return next.element;
  };

  return {
    /**
     * @param {WorkspaceDetail} detail
     * @returns {{ isFirst: boolean, arrived: HTMLElement | undefined }} the first message that was not there before
     */
    show(detail) {
      const isFirst = drawn.size === 0;
      const arrived = detail.messages.map(drawOne).find((element) => element !== null) ?? undefined;
      if (pending.hidden) pending.remove();
      else if (pending.parentNode !== list) list.append(pending);
      return { isFirst, arrived };
    },
    destroy() {
      for (const one of drawn.values()) one.destroy();
    },
  };
}
