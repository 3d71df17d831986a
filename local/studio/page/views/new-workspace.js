/**
 * @import { JobTarget, StudioInfo } from "../../page-api.ts"
 * @import { Actions } from "../actions.js"
 * @import { Drafts } from "../drafts.js"
 * @import { Store } from "../state.js"
 */
import { freshId, h, icon, put } from "../dom.js";
import { number } from "../format.js";
import { suggestions } from "../suggestions.js";
import { cannedLabel } from "./canned.js";
import { createComposer } from "./composer.js";

const lead =
  "Write a message. A runner leases the job, and charts, tables, lists, checklists, drawings, files and an answer appear here.";

/** @type {readonly { target: JobTarget, label: string }[]} */
const targets = [
  { target: "user", label: "User" },
  { target: "global", label: "Global" },
];

/** @type {Readonly<Record<JobTarget, string>>} */
const whose = { user: "Your own runners", global: "Shared runners" };

/**
 * @param {{ store: Store, actions: Actions, drafts: Drafts }} ports
 */
export function newWorkspaceView({ store, actions, drafts }) {
  const title = titleField(drafts);
  const target = targetField(store.get().info);
  const composer = createComposer({
    label: "Message",
    placeholder: "A plan, a comparison, an explanation…",
    submitLabel: "Start",
    rows: 4,
    drafts,
    draftKey: "new",
    extras: [h("div", { class: "fields" }, title.element, target.element)],
    async submit(text) {
      await actions.create({ text, ...title.chosen(), target: target.chosen() });
      drafts.write("new-title", "");
    },
  });
  const canned = h("div");
  const back = h(
    "a",
    { class: "button button-quiet back", href: "#/", "aria-label": "All workspaces" },
    icon("back"),
    "Workspaces",
  );
  const element = h(
    "div",
    { class: "welcome" },
    back,
    h("h2", { tabindex: -1 }, "Start a workspace"),
    h("p", { class: "lead" }, lead),
    composer.element,
    canned,
    exampleList((text) => {
      composer.setText(text);
      composer.field.focus();
    }),
  );
  return {
    element,
    ready: () => composer.fit(),
    update() {
      target.update(store.get().info);
      put(canned, cannedLabel(store.get().info));
    },
    destroy: () => undefined,
  };
}

/** @param {Drafts} drafts */
function titleField(drafts) {
  const id = freshId();
  const value = drafts.read("new-title");
  const field = h("input", {
    type: "text",
    id,
    class: "text-field",
    maxlength: 200,
    placeholder: "Optional",
    value,
  });
  field.addEventListener("input", () => drafts.write("new-title", field.value));
  return {
    element: h("div", { class: "field" }, h("label", { for: id }, "Title"), field),
    /** @returns {{ title?: string }} */
    chosen: () => (field.value.trim() === "" ? {} : { title: field.value.trim() }),
  };
}

/** @param {(text: string) => void} choose */
function exampleList(choose) {
  const rows = Object.values(suggestions).map(({ name, text }) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "example", onclick: () => choose(text) },
        h("strong", {}, name),
        h("span", {}, text),
      ),
    ),
  );
  return h(
    "section",
    { class: "examples", "aria-label": "Examples" },
    h("h3", {}, "Or start with one of these"),
    h("ul", {}, ...rows),
  );
}

/** @param {StudioInfo | null} info */
function targetField(info) {
  const name = freshId();
  const limit = h("p", { class: "hint target-hint" });
  const radios = targets.map(({ target, label }) => {
    const radio = h("input", { type: "radio", name, value: target, checked: target === "user" });
    return { target, radio, element: h("label", { class: "segment" }, radio, h("span", {}, label)) };
  });
  const chosen = () => radios.find(({ radio }) => radio.checked)?.target ?? "user";
  let known = info;
  const render = () => {
    const perDay = known ? `, ${number(known.dailyLimits[chosen()])} jobs a day` : "";
    limit.textContent = `${whose[chosen()]}${perDay}`;
  };
  const element = h(
    "fieldset",
    { class: "field target", onchange: render },
    h("legend", {}, "Runners"),
    h("div", { class: "segments" }, ...radios.map((one) => one.element), limit),
  );
  render();
  return {
    element,
    chosen,
    /** @param {StudioInfo | null} next */
    update(next) {
      known = next;
      render();
    },
  };
}
