import * as z from "zod";
import { text, title, tokenId, limits } from "./fields.ts";
import { sanitizeSvg } from "./svg-sanitize.ts";
import { defineTool } from "./tool.ts";

const caps = limits.svg;

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
  schema: z.strictObject({
    id: tokenId,
    title,
    content: text(caps.chars).describe("One whole <svg>…</svg> with a viewBox."),
  }),
  clean: (svg) => {
    const sanitized = sanitizeSvg(svg.content);
    if (!sanitized.ok) return { ok: false, problems: [`content: ${sanitized.problem}`] };
    return { ok: true, item: { ...svg, content: sanitized.markup }, notes: sanitized.changes };
  },
});
