import { sentenceOf } from "../api.js";
import { freshId, h } from "../dom.js";
import { openViewer } from "../viewer.js";

/**
 * @param {{ title: string, rename: (title: string) => Promise<void> }} ports
 */
export function openRename({ title, rename }) {
  const id = freshId();
  const field = h("input", {
    type: "text",
    id,
    class: "text-field",
    maxlength: 200,
    value: title,
    autofocus: true,
    placeholder: "No title: the first words of the message",
  });
  openForm({
    title: "Rename workspace",
    fields: [h("label", { for: id }, "Title"), field],
    action: { label: "Save", tone: "primary" },
    act: () => rename(field.value.trim()),
    done: () => undefined,
  });
  field.select();
}

/**
 * @param {{ name: string, remove: () => Promise<void>, onRemoved: () => void }} ports
 */
export function openDelete({ name, remove, onRemoved }) {
  openForm({
    title: "Delete workspace?",
    fields: [
      h(
        "p",
        {},
        h("strong", {}, name),
        " will be deleted with all its messages and files. There is no way back.",
      ),
    ],
    action: { label: "Delete", tone: "danger" },
    act: remove,
    done: onRemoved,
  });
}

/**
 * A dialog with fields, a button that acts and one that does not. It stays open, with the reason, if the act is refused.
 * @param {object} options
 * @param {string} options.title
 * @param {readonly Node[]} options.fields
 * @param {{ label: string, tone: "primary" | "danger" }} options.action
 * @param {() => Promise<void>} options.act
 * @param {() => void} options.done called when the dialog is closed after the act
 */
function openForm({ title, fields, action, act, done }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: `button button-${action.tone}` }, action.label);
  const cancel = h("button", { type: "button", class: "button" }, "Cancel");
  const form = h(
    "form",
    { class: "dialog-form", novalidate: true },
    ...fields,
    problem,
    h("div", { class: "dialog-actions" }, cancel, submit),
  );
  const viewer = openViewer({ title, body: form, narrow: true });
  cancel.addEventListener("click", () => void viewer.close());
  const run = async () => {
    if (submit.disabled) return;
    submit.disabled = true;
    problem.hidden = true;
    try {
      await act();
      await viewer.close();
      done();
    } catch (error) {
      problem.textContent = sentenceOf(error);
      problem.hidden = false;
    }
    submit.disabled = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
}
