import sanitizeHtml from "sanitize-html";
import { keepHead } from "../core/text.ts";
import { limits } from "./fields.ts";
import * as allowed from "./svg-allowed.ts";
import { quieten } from "./svg-scripts.ts";

export type Sanitized =
  | { readonly ok: true; readonly markup: string; readonly changes: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** XML rules: names keep their case and no tag contains raw text. CDATA and entities are decoded. */
const parser = { xmlMode: true, decodeEntities: true } as const;

/**
 * Drawings up to this length get a missing xmlns, which viewers outside a page need. A longer one would
 * exceed the cap with it.
 */
const xmlnsFits = limits.svg.chars - ` xmlns="${allowed.svgNamespace}"`.length;

const shownChanges = 20;
/** The maximum length of a name from the model in a message. */
const shownNameChars = 40;

/**
 * Returns the one `<svg>` element in `content`, reduced to what svg-allowed.ts lists. `changes` names
 * everything that was removed or corrected. Refuses anything other than one complete `<svg>`, a drawing with
 * nothing visible left, and one that exceeds the cap before or after cleaning.
 */
export function sanitizeSvg(content: string): Sanitized {
  if (content.length > limits.svg.chars) return tooLong(content.length, "given");
  const outline = readOutline(content);
  const problem = outlineProblem(outline);
  if (problem !== undefined) return { ok: false, problem };
  const changes = new Map<string, number>();
  const note = (change: string): void => {
    changes.set(change, (changes.get(change) ?? 0) + 1);
  };
  noteUnparsed(content, note);
  const cleaned = clean(content, outline, note);
  const markup = compact(quieten(cleaned.markup.trim()));
  if (!cleaned.isVisible) {
    const removed = listChanges(changes).filter((change) => change.startsWith("removed"));
    const why = removed.length === 0 ? "" : ` (${removed.join(", ")})`;
    return { ok: false, problem: `nothing that can be drawn is left${why}` };
  }
  if (markup.length > limits.svg.chars) return tooLong(markup.length, "after cleaning");
  if (/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/u.test(markup) || !markup.isWellFormed()) {
    return { ok: false, problem: "holds characters that XML forbids" };
  }
  return { ok: true, markup, changes: listChanges(changes) };
}

function tooLong(length: number, when: string): Sanitized {
  return { ok: false, problem: `${length} characters ${when}, at most ${limits.svg.chars}` };
}

interface Outline {
  readonly roots: readonly string[];
  readonly names: ReadonlySet<string>;
  readonly unclosed: string | undefined;
}

/** A first pass that changes nothing: finds the elements and whether each is closed. */
function readOutline(content: string): Outline {
  const roots: string[] = [];
  const names = new Set<string>();
  let depth = 0;
  let justOpened = false;
  let unclosed: string | undefined;
  sanitizeHtml(content, {
    parser,
    allowedTags: [],
    disallowedTagsMode: "escape",
    onOpenTag: (name) => {
      if (depth === 0) roots.push(name);
      names.add(name);
      depth += 1;
      justOpened = true;
    },
    onCloseTag: (name, isImplied) => {
      // The parser also reports <x/> as implied, directly after it opens.
      if (isImplied && !justOpened) unclosed ??= name;
      depth -= 1;
      justOpened = false;
    },
  });
  return { roots, names, unclosed };
}

function outlineProblem({ roots, unclosed }: Outline): string | undefined {
  const [root, second] = roots;
  if (root === undefined) return "no <svg> element found";
  if (root.toLowerCase() !== "svg")
    return `must be one whole <svg>…</svg>, <${shortName(root)}> is around or before it`;
  if (second !== undefined) return `must be one whole <svg>…</svg>, <${shortName(second)}> comes after it`;
  if (unclosed !== undefined) return `<${shortName(unclosed)}> is never closed; is the markup cut off?`;
  return undefined;
}

/** Notes what the parser drops or keeps without reporting it. */
function noteUnparsed(content: string, note: (change: string) => void): void {
  if (/<\?(?!xml\s)/i.test(content)) note("removed processing instruction");
  for (const [entity] of content.matchAll(/&(?!(?:amp|lt|gt|quot|apos);)[a-z]\w*;/gi)) {
    note(`${shortName(entity)} is no entity of SVG and shows as written, use the character itself`);
  }
}

function clean(content: string, outline: Outline, note: (change: string) => void) {
  let isRoot = true;
  let isVisible = false;
  const markup = sanitizeHtml(content, {
    parser,
    allowedTags: [...allowed.elements],
    allowedAttributes: { "*": [...allowed.attributes.keys(), "style"] },
    allowedStyles: { "*": stylesByProperty() },
    nonBooleanAttributes: [],
    // A forbidden element is removed with everything inside it.
    nonTextTags: [...outline.names].filter(isForeign),
    disallowedTagsMode: "discard",
    onOpenTag: (name) => {
      if (allowed.canonicalElement(name) === undefined) note(`removed <${shortName(name)}>`);
    },
    transformTags: {
      "*": (tagName, attribs) => {
        const kept = keepAttributes(attribs, note);
        const lacksXmlns = isRoot && kept["xmlns"] === undefined && content.length <= xmlnsFits;
        const xmlns: Readonly<Record<string, string>> = lacksXmlns ? { xmlns: allowed.svgNamespace } : {};
        if ("xmlns" in xmlns) note("added xmlns to <svg>");
        isRoot = false;
        const name = allowed.canonicalElement(tagName) ?? tagName;
        isVisible ||= allowed.drawable.has(name);
        return { tagName: name, attribs: { ...xmlns, ...kept } };
      },
    },
    // For text outside the root there is no tag, although the type says there is.
    textFilter: (text, tagName?: string) => {
      if (tagName !== undefined) return text;
      if (text.trim() !== "") note("removed text outside <svg>");
      return "";
    },
  });
  return { markup, isVisible };
}

const isForeign = (name: string): boolean =>
  allowed.canonicalElement(name) === undefined && !allowed.unwrapped.includes(name);

function keepAttributes(
  given: Readonly<Record<string, string>>,
  note: (change: string) => void,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name.toLowerCase() === "style") {
      const style = keepStyle(value, note);
      if (style !== "") kept["style"] = style;
      continue;
    }
    const canonical = allowed.canonicalAttribute(name);
    const isSafe = canonical !== undefined && allowed.attributes.get(canonical)?.(value) === true;
    if (isSafe && kept[canonical] === undefined) kept[canonical] = value;
    else if (!isSafe || kept[canonical] !== value) note(`removed attribute ${shortName(name)}`);
  }
  return kept;
}

/**
 * Keeps the allowed declarations and writes them again, so that the sanitizer's parser reads exactly what was
 * checked.
 */
function keepStyle(style: string, note: (change: string) => void): string {
  const kept: string[] = [];
  for (const declaration of style.split(";")) {
    if (declaration.trim() === "") continue;
    const [name = "", ...rest] = declaration.split(":");
    const property = name.trim().toLowerCase();
    const value = rest.join(":").trim();
    if (allowed.styleProperties.has(property) && allowed.isSafeStyleValue(value)) {
      kept.push(`${property}:${value}`);
    } else {
      note(`removed style property ${shortName(property)}`);
    }
  }
  return kept.join(";");
}

function stylesByProperty(): Record<string, RegExp[]> {
  return Object.fromEntries([...allowed.styleProperties].map((name) => [name, [allowed.styleValue]]));
}

/**
 * Writes `<rect></rect>` as `<rect/>`, so that cleaning does not push a drawing over the cap. Leaves title
 * and desc alone: in HTML, `<title/>` would swallow the text that follows.
 */
const compact = (markup: string): string =>
  markup.replaceAll(/<(?!title\b|desc\b)(\w+)((?: [\w:-]+="[^"<>]*")*)><\/\1>/g, "<$1$2/>");

const shortName = (name: string): string =>
  name.length > shownNameChars ? `${keepHead(name, shownNameChars)}…` : name;

function listChanges(changes: ReadonlyMap<string, number>): readonly string[] {
  const all = [...changes].map(([change, times]) => (times === 1 ? change : `${change} (${times} times)`));
  const rest = all.length - shownChanges;
  return rest > 0 ? [...all.slice(0, shownChanges), `and ${rest} more changes`] : all;
}
