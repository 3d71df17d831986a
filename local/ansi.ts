/** The escape codes that picocolors and cli-table3 write, and the CSS class for each. */
const switches: Readonly<Record<string, { readonly on?: string; readonly off: readonly string[] }>> = {
  "1": { on: "bold", off: [] },
  "2": { on: "dim", off: [] },
  "3": { on: "italic", off: [] },
  "4": { on: "underline", off: [] },
  "22": { off: ["bold", "dim"] },
  "23": { off: ["italic"] },
  "24": { off: ["underline"] },
};

const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
const introducer = "\u001B[";

/**
 * Converts terminal output to HTML for a `<pre>`: escapes text, turns colours into `<span class="…">`, and
 * drops cursor movements.
 */
export function ansiToHtml(text: string): string {
  const [first = "", ...parts] = text.replaceAll(/\r(?!\n)/g, "").split(introducer);
  let html = span(first, []);
  let styles: readonly string[] = [];
  for (const part of parts) {
    const [, codes = "", letter, rest = ""] = /^([\d;?]*)([A-Za-z])(.*)$/s.exec(part) ?? [];
    if (letter === "m") styles = (codes || "0").split(";").reduce(next, styles);
    html += span(rest, styles);
  }
  return html;
}

function next(styles: readonly string[], code: string): readonly string[] {
  const number = Number(code);
  if (number === 0) return [];
  const known = switches[code];
  if (known) {
    const kept = styles.filter((style) => !known.off.includes(style));
    return known.on === undefined ? kept : [...kept, known.on];
  }
  const withoutColour = styles.filter((style) => !colours.some((colour) => colour === style));
  if (number === 39) return withoutColour;
  // Code 90 is bright black, which reads as grey.
  if (number === 90) return [...withoutColour, "dim"];
  const colour = colours[number >= 90 ? number - 90 : number - 30];
  return colour === undefined ? styles : [...withoutColour, colour];
}

function span(text: string, styles: readonly string[]): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (escaped === "" || styles.length === 0) return escaped;
  return `<span class="${[...new Set(styles)].join(" ")}">${escaped}</span>`;
}
