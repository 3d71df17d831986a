/** @import { EmptyContent, ProblemContent } from "../../../../dashboard/view.ts" */
import { h, icon } from "../../dom.js";
import { redrawn } from "./redrawn.js";

/** @param {EmptyContent} content */
export const emptyBody = (content) =>
  redrawn(h("div", { class: "widget-message" }), content, ({ sentence }) => [
    h("p", { class: "quiet" }, sentence),
  ]);

/** @param {ProblemContent} content */
export const problemBody = (content) =>
  redrawn(h("div", { class: "widget-message" }), content, ({ sentence }) => [
    h("div", { class: "problem" }, icon("alert"), h("span", {}, `Not drawn here: ${sentence}`)),
  ]);
