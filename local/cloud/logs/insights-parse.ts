import { ServiceError } from "../errors.ts";
import { parseExpression, type Expression, type Grammar } from "../expression.ts";

const grammar: Grammar = {
  what: "A Logs Insights query",
  operators: [
    ["or"],
    ["and"],
    ["=", "!=", "<", "<=", ">", ">=", "like", "=~", "in", "not like", "not in"],
    ["+", "-"],
    ["*", "/", "%"],
    ["^"],
  ],
  prefixes: { not: 2, "-": 5 },
  name: /not\s+(?:like|in)\b|`[^`]+`|[@A-Za-z_][\w@]*(?:\.[\w@]+)*/i,
  regexes: true,
  durations: true,
};

/** An expression with the name of its column. */
export interface Column {
  readonly name: string;
  readonly value: Expression;
}

export type Command =
  | { readonly kind: "fields" | "display"; readonly columns: readonly Column[] }
  | { readonly kind: "filter"; readonly condition: Expression }
  | { readonly kind: "stats"; readonly columns: readonly Column[]; readonly by: readonly Column[] }
  | { readonly kind: "sort"; readonly by: readonly (Column & { readonly descending: boolean })[] }
  | { readonly kind: "limit"; readonly count: number }
  | { readonly kind: "dedup"; readonly columns: readonly Column[] };

const commands: Readonly<Record<string, (rest: string) => Command>> = {
  fields: (rest) => ({ kind: "fields", columns: columnsOf(rest) }),
  display: (rest) => ({ kind: "display", columns: columnsOf(rest) }),
  filter: (rest) => ({ kind: "filter", condition: parse(rest) }),
  dedup: (rest) => ({ kind: "dedup", columns: columnsOf(rest) }),
  limit: (rest) => ({ kind: "limit", count: countOf(rest) }),
  head: (rest) => ({ kind: "limit", count: countOf(rest) }),
  sort: (rest) => ({ kind: "sort", by: parts(rest, ",").map(sortOf) }),
  stats: (rest) => {
    const [what = "", by] = splitWord(rest, "by");
    return { kind: "stats", columns: columnsOf(what), by: by === undefined ? [] : columnsOf(by) };
  },
};

/**
 * Parses a Logs Insights query into its commands, in order.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 * @throws ServiceError `MalformedQueryException` for unsupported syntax
 */
export function parseInsights(query: string): readonly Command[] {
  const text = query.replaceAll(/^\s*#.*$/gm, "");
  return parts(text, "|")
    .filter((part) => part !== "")
    .map((part) => {
      const [, word = "", rest = ""] = /^(\w+)\s*(.*)$/s.exec(part) ?? [];
      const command = commands[word.toLowerCase()];
      if (command === undefined) throw malformed(`the command "${word || part}"`);
      return command(rest.trim());
    });
}

export const malformed = (problem: string): ServiceError =>
  new ServiceError("MalformedQueryException", `The query is not understood locally: ${problem}`);

function parse(source: string): Expression {
  try {
    return parseExpression(source, grammar);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ServiceError("MalformedQueryException", message);
  }
}

const columnsOf = (list: string): readonly Column[] => parts(list, ",").map(columnOf);

/** A column without an alias is named by its own text. */
function columnOf(text: string): Column {
  const [what = "", alias] = splitWord(text, "as");
  return { name: (alias ?? what).replaceAll("`", ""), value: parse(what) };
}

function sortOf(text: string): Column & { readonly descending: boolean } {
  const [, what = text, direction = "asc"] = /^(.*?)(?:\s+(asc|desc))?$/is.exec(text) ?? [];
  return { ...columnOf(what), descending: direction.toLowerCase() === "desc" };
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw malformed(`"limit ${text}"`);
  return count;
}

/** Splits the text in two at a word that is outside quotes and brackets. */
function splitWord(text: string, word: string): readonly string[] {
  const found = outside(text, new RegExp(`\\s${word}\\s+`, "iy"))[0];
  if (found === undefined) return [text.trim()];
  return [text.slice(0, found.begin).trim(), text.slice(found.end).trim()];
}

/** Splits the text at separators that are outside quotes and brackets. */
function parts(text: string, separator: "," | "|"): readonly string[] {
  const found = outside(text, new RegExp(`\\${separator}`, "y"));
  const begins = [0, ...found.map(({ end }) => end)];
  const ends = [...found.map(({ begin }) => begin), text.length];
  return begins.map((begin, index) => text.slice(begin, ends[index]).trim());
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|(?<=(?:like|=~)\s*)\/(?:[^/\\]|\\.)+\//iy;

function outside(text: string, pattern: RegExp): readonly Span[] {
  const found: Span[] = [];
  let depth = 0;
  for (let at = 0; at < text.length;) {
    quoted.lastIndex = at;
    pattern.lastIndex = at;
    const skipped = quoted.exec(text)?.[0].length;
    const match = depth === 0 && skipped === undefined ? pattern.exec(text) : null;
    const step = skipped ?? match?.[0].length ?? 1;
    if (match) found.push({ begin: at, end: at + step });
    else if ("([".includes(text[at] ?? "")) depth += 1;
    else if (")]".includes(text[at] ?? "")) depth -= 1;
    at += step;
  }
  return found;
}
