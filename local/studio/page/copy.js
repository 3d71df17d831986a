import { h } from "./dom.js";

const doneMs = 2_000;

/**
 * A button that copies a text and says for a moment that it did.
 * @param {string} label
 * @param {() => string} textOf
 * @param {Record<string, string>} [attributes]
 */
export function copyButton(label, textOf, attributes = {}) {
  const words = h("span", { "aria-live": "polite" }, label);
  const copy = async () => {
    words.textContent = await navigator.clipboard.writeText(textOf()).then(
      () => "Copied",
      () => "Not allowed to copy",
    );
    setTimeout(() => {
      words.textContent = label;
    }, doneMs);
  };
  return h(
    "button",
    { type: "button", class: "button button-small", onclick: () => void copy(), ...attributes },
    words,
  );
}
