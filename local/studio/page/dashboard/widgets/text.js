/** @import { TextContent } from "../../../../dashboard/view.ts" */
import { h } from "../../dom.js";
import { renderMarkdown } from "../../markdown.js";
import { redrawn } from "./redrawn.js";

/** @param {TextContent} content */
export const textBody = (content) =>
  redrawn(h("div", { class: "prose" }), content, ({ markdown }) => [renderMarkdown(markdown, { below: 1 })]);
