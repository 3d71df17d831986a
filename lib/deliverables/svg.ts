import * as z from "zod";
import { text, title, tokenId } from "./fields.ts";
import { limits } from "./limits.ts";
import { sanitizeSvg } from "./svg-sanitize.ts";
import { looksScripted } from "./svg-scripts.ts";
import { defineTool } from "./tool.ts";
import type { SvgDeliverable } from "./workbench.ts";

const caps = limits.svg;

const forbidden = /<(?:script|foreignObject|iframe|embed|object)\b/i;
const given = z.strictObject({
  id: tokenId,
  title,
  content: text(caps.chars).describe("One whole <svg>…</svg> with a viewBox."),
});

export const svgTool = defineTool({
  name: "create_svg",
  kind: "svg",
  payloadKey: "svgs",
  wrapper: "svg",
  idField: "id",
  makes: "SVG drawing",
  caps: `${caps.chars} characters, one whole \`<svg>…</svg>\`, sanitized by an allow-list`,
  description:
    "Makes a drawing or diagram. Use shapes, text, gradients and filters with presentation attributes; no script, style element, class, link, image, animation or external reference.",
  given,
  schema: given.superRefine(checkMarkup),
  clean: (svg) => {
    const sanitized = sanitizeSvg(svg.content);
    if (!sanitized.ok) return { ok: false, problems: [`content: ${sanitized.problem}`] };
    return { ok: true, item: { ...svg, content: sanitized.markup }, notes: sanitized.changes };
  },
});

/** What Studio refuses in any payload (studio-api.md). Our own SVGs have been through the sanitizer. */
function checkMarkup({ content }: SvgDeliverable, context: z.RefinementCtx): void {
  if (!isWhole(content)) {
    context.addIssue({ code: "custom", path: ["content"], message: "must be one whole <svg>…</svg>" });
  }
  if (forbidden.test(content) || looksScripted(content)) {
    const message = "holds a script, an event handler, javascript: or a forbidden element";
    context.addIssue({ code: "custom", path: ["content"], message });
  }
}

function isWhole(content: string): boolean {
  const markup = content.trim().toLowerCase();
  return /<svg[\s>]/.test(markup) && markup.endsWith("</svg>");
}
