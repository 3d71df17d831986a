import { escapeXml } from "./topic.ts";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  readonly note: string;
  readonly fill: string;
  readonly stroke: string;
}

interface Arrow {
  /** An SVG path. */
  readonly path: string;
  readonly label: string;
  /** The middle of the label. */
  readonly at: readonly [x: number, y: number];
}

interface Diagram {
  readonly name: string;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  readonly caption: string;
}

export const blue = { fill: "#eff6ff", stroke: "#2563eb" };
export const green = { fill: "#ecfdf5", stroke: "#059669" };
export const amber = { fill: "#fffbeb", stroke: "#d97706" };

const width = 930;
const sans = 'font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif"';

const drawBox = ({ x, y, name, note, fill, stroke }: Box): string =>
  `<g><rect x="${x}" y="${y}" width="160" height="70" rx="12" fill="${fill}" stroke="${stroke}" stroke-width="2"/>` +
  `<text x="${x + 80}" y="${y + 31}" text-anchor="middle" font-size="16" font-weight="600" fill="#0f172a" ${sans}>${escapeXml(name)}</text>` +
  `<text x="${x + 80}" y="${y + 52}" text-anchor="middle" font-size="12" fill="#475569" ${sans}>${escapeXml(note)}</text></g>`;

const drawArrow = ({ path, label, at: [x, y] }: Arrow): string =>
  `<path d="${path}" fill="none" stroke="#64748b" stroke-width="2" marker-end="url(#arrow)"/>` +
  `<text x="${x}" y="${y}" text-anchor="middle" font-size="12" fill="#64748b" ${sans}>${escapeXml(label)}</text>`;

/** Boxes and arrows, with a light background of their own so that they are readable on any page. */
export function drawDiagram({ name, height, boxes, arrows, caption }: Diagram): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(name)}">`,
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z" fill="#64748b"/></marker></defs>',
    `<rect x="1" y="1" width="${width - 2}" height="${height - 2}" rx="18" fill="#ffffff" stroke="#e2e8f0" stroke-width="2"/>`,
    ...arrows.map(drawArrow),
    ...boxes.map(drawBox),
    `<text x="40" y="${height - 26}" font-size="13" fill="#475569" ${sans}>${escapeXml(caption)}</text>`,
    "</svg>",
  ].join("\n");
}
