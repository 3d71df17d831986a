/** @import { Drafts } from "../drafts.js" */
import { sentenceOf } from "../api.js";
import { freshId, h, icon, put } from "../dom.js";

/**
 * A field for a message. Enter or Ctrl+Enter sends, Shift+Enter makes a line; on a touch screen Enter makes a line.
 * The text stays until the server has it.
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.placeholder
 * @param {string} options.submitLabel
 * @param {number} options.rows
 * @param {Drafts} options.drafts
 * @param {string} options.draftKey
 * @param {readonly Node[]} [options.extras] further fields, under the message
 * @param {(text: string) => Promise<unknown>} options.submit rejects with a sentence for the person
 */
export function createComposer({
  label,
  placeholder,
  submitLabel,
  rows,
  drafts,
  draftKey,
  extras = [],
  submit,
}) {
  const fieldId = freshId();
  const problemId = freshId();
  const field = h("textarea", {
    id: fieldId,
    rows,
    placeholder,
    "aria-describedby": problemId,
    enterkeyhint: "enter",
    spellcheck: "true",
  });
  const button = h(
    "button",
    { type: "submit", class: "button button-primary send" },
    h("span", {}, submitLabel),
    icon("send"),
  );
  const problem = h("p", { class: "problem", id: problemId, role: "alert", hidden: true });
  const hint = h(
    "p",
    { class: "hint" },
    h("kbd", {}, "Enter"),
    " sends, ",
    h("kbd", {}, "Shift"),
    " + ",
    h("kbd", {}, "Enter"),
    " makes a line",
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

  async function send() {
    if (button.disabled) return;
    const text = field.value.trim();
    if (text === "") {
      complain("Write a message first.");
      field.focus();
      return;
    }
    complain(null);
    setBusy(true);
    try {
      await submit(text);
      setText("");
    } catch (error) {
      complain(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  field.addEventListener("keydown", (event) => {
    if (!sends(event)) return;
    event.preventDefault();
    void send();
  });
  field.addEventListener("input", () => setText(field.value));
  field.value = drafts.read(draftKey);
  return {
    element: form,
    field,
    setText,
    /** Once it is in the page. */
    fit: () => fit(field),
  };
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
  field.style.height = `${field.scrollHeight + 2}px`;
}
