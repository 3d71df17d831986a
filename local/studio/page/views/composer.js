/** @import { Drafts } from "../drafts.js" */
import { sentenceOf } from "../api.js";
import { freshId, h, icon, put } from "../dom.js";

/**
 * @typedef {object} ComposerOptions
 * @property {string} label
 * @property {string} placeholder
 * @property {string} submitLabel
 * @property {number} rows
 * @property {Drafts} drafts
 * @property {string} draftKey
 * @property {readonly Node[]} [extras] more fields, below the message
 * @property {(text: string) => Promise<unknown>} submit rejects with a sentence for the user
 */

/**
 * A field for a message. Enter or Ctrl+Enter sends, Shift+Enter inserts a line break; on a touch screen Enter inserts one.
 * The text stays until the server has it.
 * @param {ComposerOptions} options
 */
export function createComposer(options) {
  const { drafts, draftKey, submit } = options;
  const { form, field, button, problem } = frame(options);
  /** @param {string | null} sentence */
  const complain = (sentence) => {
    problem.hidden = sentence === null;
    put(problem, sentence);
    field.setAttribute("aria-invalid", String(sentence !== null));
  };
  /** @param {string} text */
  const setText = (text) => {
    field.value = text;
    drafts.write(draftKey, text);
    fit(field);
  };
  /** @param {boolean} busy */
  const setBusy = (busy) => {
    field.readOnly = busy;
    button.disabled = busy;
    form.setAttribute("aria-busy", String(busy));
  };
  const send = async () => {
    if (button.disabled) return;
    const text = field.value.trim();
    complain(text === "" ? "Write a message first." : null);
    if (text === "") return field.focus();
    setBusy(true);
    try {
      await submit(text);
      setText("");
    } catch (error) {
      complain(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  listen({ form, field, send: () => void send(), onInput: () => setText(field.value) });
  field.value = drafts.read(draftKey);
  // Call `fit` when the form is in the page; before that it has no height.
  return { element: form, field, setText, fit: () => fit(field) };
}

/** @param {string} name */
const keyCap = (name) => h("kbd", {}, name);

/** @param {ComposerOptions} options */
function frame({ label, placeholder, submitLabel, rows, extras = [] }) {
  const fieldId = freshId();
  const problemId = freshId();
  const field = h("textarea", { id: fieldId, rows, placeholder, "aria-describedby": problemId });
  const button = h(
    "button",
    { type: "submit", class: "button button-primary send" },
    submitLabel,
    icon("send"),
  );
  const problem = h("p", { class: "problem", id: problemId, role: "alert", hidden: true });
  const hint = h(
    "p",
    { class: "hint" },
    keyCap("Enter"),
    " sends, ",
    keyCap("Shift"),
    " + ",
    keyCap("Enter"),
    " for a new line",
  );
  const form = h(
    "form",
    { class: "composer", novalidate: true },
    h("label", { for: fieldId, class: "visually-hidden" }, label),
    field,
    ...extras,
    h("div", { class: "composer-foot" }, hint, button),
    problem,
  );
  return { form, field, button, problem };
}

/**
 * @param {{ form: HTMLFormElement, field: HTMLTextAreaElement, send: () => void, onInput: () => void }} parts
 */
function listen({ form, field, send, onInput }) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  field.addEventListener("keydown", (event) => {
    if (!sends(event)) return;
    event.preventDefault();
    send();
  });
  field.addEventListener("input", onInput);
}

/**
 * @param {KeyboardEvent} event
 */
function sends({ key, shiftKey, ctrlKey, metaKey, isComposing }) {
  if (key !== "Enter" || isComposing) return false;
  if (ctrlKey || metaKey) return true;
  return !shiftKey && !matchMedia("(pointer: coarse)").matches;
}

/** @param {HTMLTextAreaElement} field */
function fit(field) {
  field.style.height = "auto";
  // A field in a hidden pane, as on a phone, has no height: it keeps its rows.
  if (field.scrollHeight > 0) field.style.height = `${field.scrollHeight + 2}px`;
}
