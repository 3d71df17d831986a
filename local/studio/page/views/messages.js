/**
 * Draws each kind of message.
 * @import { AssistantMessage, FailureMessage, ThreadMessage, UserMessage } from "../../page-api.ts"
 * @import { DrawContext } from "../deliverables/registry.js"
 *
 * @typedef {DrawContext & { reuse: (text: string) => void, lastText: () => string, retry: () => Promise<void>, name: () => string, runLine: (createdAtMs: number) => HTMLElement }} MessageContext
 * `name`: of the workspace
 * @typedef {object} DrawnMessage
 * @property {HTMLElement} element
 * @property {string} key changes when the message must be drawn again
 * @property {(message: ThreadMessage) => void} update
 * @property {() => void} destroy
 */
import { sentenceOf } from "../api.js";
import { h, icon } from "../dom.js";
import { duration } from "../format.js";
import { answerActions } from "./answer-actions.js";
import { drawAnswer } from "./answer.js";
import { timeAgo } from "./pill.js";

const nothing = () => undefined;

/**
 * @param {ThreadMessage} message
 * @param {MessageContext} context
 * @returns {DrawnMessage}
 */
export function drawMessage(message, context) {
  const key = keyOf(message);
  if (message.role === "user")
    return { element: userMessage(message), key, update: nothing, destroy: nothing };
  if (message.role === "failure") {
    return { element: failureMessage(message, context), key, update: nothing, destroy: nothing };
  }
  const answer = drawAnswer(message, context);
  let present = message;
  const actions = answerActions({ message: () => present, name: context.name });
  return {
    element: assistantMessage(message, answer.element, actions, context.runLine(message.createdAtMs)),
    key,
    update(next) {
      if (next.role !== "assistant") return;
      present = next;
      answer.update(next);
    },
    destroy: () => answer.destroy(),
  };
}

/**
 * Leaves ticks out, because they are updated without redrawing the answer.
 * @param {ThreadMessage} message
 * @returns {string}
 */
export function keyOf(message) {
  return JSON.stringify(message, (name, value) => (name === "checked" ? undefined : value));
}

/** @param {UserMessage} message */
function userMessage({ text, createdAtMs }) {
  return h(
    "li",
    { class: "message message-user" },
    h("p", { class: "message-meta" }, h("span", {}, "You"), timeAgo(createdAtMs)),
    h("div", { class: "bubble" }, text),
  );
}

/**
 * @param {AssistantMessage} message
 * @param {...HTMLElement} body
 */
function assistantMessage({ createdAtMs, tookMs }, ...body) {
  const meta = h(
    "p",
    { class: "message-meta" },
    h("span", {}, `Answered in ${duration(tookMs)}`),
    timeAgo(createdAtMs),
  );
  return h("li", { class: "message message-assistant" }, meta, ...body);
}

/**
 * @param {FailureMessage} message
 * @param {MessageContext} context
 */
function failureMessage({ reason, createdAtMs }, { reuse, lastText, retry, runLine }) {
  const edit = h(
    "button",
    { type: "button", class: "button button-small", onclick: () => reuse(lastText()) },
    "Edit the message and send it again",
  );
  return h(
    "li",
    { class: "message message-failure" },
    h("div", { class: "failure-head" }, icon("alert"), h("h3", {}, "This job failed"), timeAgo(createdAtMs)),
    h("p", { class: "failure-reason" }, reason),
    h("div", { class: "failure-actions" }, ...retryButton(retry), edit),
    runLine(createdAtMs),
  );
}

/**
 * The button and the place for a problem with it. Once the job is queued, the style sheet hides both: an answer or the
 * pending message is then the last one.
 * @param {() => Promise<void>} retry
 */
function retryButton(retry) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "button", class: "button button-small button-primary" }, "Retry");
  const run = async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      await retry();
    } catch (error) {
      problem.textContent = sentenceOf(error);
      problem.hidden = false;
    }
    button.disabled = false;
  };
  button.addEventListener("click", () => void run());
  return [problem, button];
}
