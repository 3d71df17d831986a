/** Replaces one value in the text of a JSON file and leaves every other character as it is. */

/**
 * Puts `value` at `path`, using the file's indentation. Creates objects that are missing on the path.
 * @throws SyntaxError if the text is not JSON, TypeError if a value on the path is not an object
 */
export function replaceValue(text: string, path: readonly [string, ...string[]], value: unknown): string {
  JSON.parse(text);
  const root = /\S/.exec(text)?.index ?? 0;
  return replaceIn(text, root, { path, value, depth: 1 });
}

interface Replacement {
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
  /** Nesting depth of the members, in steps of indentation. */
  readonly depth: number;
}

function replaceIn(text: string, objectAt: number, { path, value, depth }: Replacement): string {
  const [name, next, ...rest] = path;
  if (text[objectAt] !== "{") throw new TypeError(`the value around "${name}" is not an object`);
  const found = members(text, objectAt).find((member) => member.name === name);
  if (next !== undefined && found)
    return replaceIn(text, found.from, { path: [next, ...rest], value, depth: depth + 1 });
  const nested = [next, ...rest].reduceRight<unknown>(
    (inner, key) => (key === undefined ? inner : { [key]: inner }),
    value,
  );
  const shown = print(nested, text, depth);
  if (found) return `${text.slice(0, found.from)}${shown}${text.slice(found.to)}`;
  return insert(
    text,
    objectAt,
    `${lineEnd(text)}${indentOf(text).repeat(depth)}${JSON.stringify(name)}: ${shown}`,
  );
}

/** Inserts as the object's first member. */
function insert(text: string, objectAt: number, member: string): string {
  const after = text.slice(objectAt + 1);
  const isEmpty = /^\s*\}/.test(after);
  return `${text.slice(0, objectAt + 1)}${member}${isEmpty ? lineEnd(text) : ","}${isEmpty ? after.trimStart() : after}`;
}

const lineEnd = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");
const indentOf = (text: string): string => /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";

function print(value: unknown, text: string, depth: number): string {
  const indent = indentOf(text);
  return JSON.stringify(value, undefined, indent)
    .split("\n")
    .join(`${lineEnd(text)}${indent.repeat(depth)}`);
}

interface Member {
  readonly name: string;
  /** The start and the end (excluded) of its value. */
  readonly from: number;
  readonly to: number;
}

/**
 * A string, a bracket, or a run of other characters without white space. The text is known to be valid JSON.
 */
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

function members(text: string, objectAt: number): readonly Member[] {
  const found: Member[] = [];
  let depth = 0;
  let name: string | undefined;
  let from: number | undefined;
  for (const { 0: part, index } of text.slice(objectAt).matchAll(token)) {
    const at = objectAt + index;
    if (part === "}" || part === "]") depth -= 1;
    if (depth === 1 && name !== undefined && from === undefined && part !== ":") from = at;
    const isOver = (part === "," && depth === 1) || depth === 0;
    if (isOver && name !== undefined && from !== undefined && at > from) {
      found.push({ name, from, to: from + text.slice(from, at).trimEnd().length });
      [name, from] = [undefined, undefined];
    } else if (depth === 1 && name === undefined && part.startsWith('"')) {
      name = String(JSON.parse(part));
    }
    if (part === "{" || part === "[") depth += 1;
    if (depth === 0) break;
  }
  return found;
}
