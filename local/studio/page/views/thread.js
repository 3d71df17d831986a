/**
 * @import { ThreadMessage, WorkspaceDetail } from "../../page-api.ts"
 * @import { Actions } from "../actions.js"
 * @import { Drafts } from "../drafts.js"
 * @import { Store } from "../state.js"
 * @import { DrawnMessage, MessageContext } from "./messages.js"
 */
import { h, icon, put } from "../dom.js";
import { nameOf } from "../state.js";
import { createComposer } from "./composer.js";
import { drawMessage, keyOf, pendingMessage } from "./messages.js";
import { badge, pill } from "./pill.js";

/**
 * One workspace: its messages, what happens now, and a field for a follow-up.
 * @param {string} id
 * @param {{ store: Store, actions: Actions, drafts: Drafts }} ports
 */
export function threadView(id, { store, actions, drafts }) {
  const composer = createComposer({
    label: "Follow-up message",
    placeholder: "Send a follow-up…",
    submitLabel: "Send",
    rows: 1,
    drafts,
    draftKey: id,
    submit: (text) => actions.send(id, text),
  });
  const { element, heading, tags, problem, list, scroller } = frame(composer.element);
  const messages = createMessages(list, {
    tick: (tick) => actions.tick(id, tick),
    lastText: () => store.get().detail?.messages.findLast((message) => message.role === "user")?.text ?? "",
    reuse(text) {
      composer.setText(text);
      composer.field.focus();
    },
  });

  /** @type {WorkspaceDetail | null} */
  let shown = null;
  const update = () => {
    const { detail: open, summaries, detailError } = store.get();
    const detail = open?.workspaceId === id ? open : null;
    const summary = detail ?? summaries?.find((one) => one.workspaceId === id);
    put(heading, summary ? nameOf(summary) : "Workspace");
    put(tags, summary && badge(summary.target), summary && pill(summary));
    put(problem, failureOf({ detail, detailError, retry: () => void actions.loadDetail() }));
    if (!detail || detail === shown) return;
    shown = detail;
    const { isFirst, arrived } = messages.show(detail);
    scrollTo(scroller, isFirst ? lastQuestion(list) : arrived);
  };
  return { element, update, ready: () => composer.fit(), destroy: () => messages.destroy() };
}

/** @param {HTMLElement} composer */
function frame(composer) {
  const heading = h("h2", { class: "thread-title", tabindex: -1 });
  const tags = h("div", { class: "thread-tags" });
  const problem = h("div", { class: "thread-problem" });
  const list = h("ol", { class: "messages" });
  const scroller = h(
    "section",
    { class: "thread-scroll", tabindex: 0, "aria-label": "Messages" },
    problem,
    list,
  );
  const back = h(
    "a",
    { class: "button button-quiet back", href: "#/", "aria-label": "All workspaces" },
    icon("back"),
  );
  const element = h(
    "div",
    { class: "thread" },
    h("header", { class: "thread-head" }, back, heading, tags),
    scroller,
    h("div", { class: "thread-foot" }, composer),
  );
  return { element, heading, tags, problem, list, scroller };
}

/** @param {HTMLElement} list */
function lastQuestion(list) {
  return [...list.querySelectorAll(".message-user")].at(-1);
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
 * @param {{ detail: WorkspaceDetail | null, detailError: string | null, retry: () => void }} what
 */
function failureOf({ detail, detailError, retry }) {
  if (detailError !== null) {
    const again = h("button", { type: "button", class: "button button-small", onclick: retry }, "Try again");
    return h("div", { class: "problem", role: "alert" }, h("span", {}, detailError), again);
  }
  return detail ? null : h("p", { class: "quiet" }, "Loading…");
}

/**
 * The drawn messages. An unchanged message keeps its element, and with it charts, focus and open data tables.
 * @param {HTMLElement} list
 * @param {MessageContext} context
 */
function createMessages(list, context) {
  /** @type {Map<string, DrawnMessage>} */
  const drawn = new Map();
  /** @type {HTMLElement | null} */
  let pending = null;

  /** @param {ThreadMessage} message */
  const drawOne = (message) => {
    const known = drawn.get(message.id);
    if (known && known.key === keyOf(message)) {
      known.update(message);
      return null;
    }
    const next = drawMessage(message, context);
    if (known) known.element.replaceWith(next.element);
    else list.append(next.element);
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
      pending?.remove();
      const arrived = detail.messages.map(drawOne).find((element) => element !== null) ?? undefined;
      pending = pendingMessage(detail);
      if (pending) list.append(pending);
      return { isFirst, arrived };
    },
    destroy() {
      for (const one of drawn.values()) one.destroy();
    },
  };
}
