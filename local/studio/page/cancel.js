import { sentenceOf } from "./api.js";
import { h, put } from "./dom.js";

/**
 * A button that cancels a job after a second click on what it then asks.
 * @param {() => Promise<string>} cancel resolves with what happens now, rejects with a sentence
 */
export function cancelControl(cancel) {
  const ask = h("button", { type: "button", class: "button button-small" }, "Cancel");
  const yes = h("button", { type: "button", class: "button button-small button-bad" }, "Cancel the job");
  const no = h("button", { type: "button", class: "button button-small button-quiet" }, "Keep it");
  const question = h(
    "div",
    { class: "cancel-question", role: "group", "aria-label": "Cancel this job?", hidden: true },
    h("span", {}, "Cancel this job? What it has made so far is discarded."),
    yes,
    no,
  );
  const said = h("p", { class: "cancel-said", role: "status" });
  const close = () => {
    question.hidden = true;
    ask.hidden = false;
    ask.focus();
  };
  ask.addEventListener("click", () => {
    put(said);
    ask.hidden = true;
    question.hidden = false;
    no.focus();
  });
  no.addEventListener("click", close);
  question.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  const confirmed = async () => {
    yes.disabled = true;
    try {
      put(said, await cancel());
      question.hidden = true;
    } catch (error) {
      put(said, sentenceOf(error));
      close();
    }
    yes.disabled = false;
  };
  yes.addEventListener("click", () => void confirmed());
  return h("div", { class: "cancel" }, ask, question, said);
}
