import { ServiceError } from "./errors.ts";

/**
 * A parsed expression of one of CloudWatch's languages: metric math, SEARCH, alarm rules, Logs Insights,
 * filter patterns.
 */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text" | "regex"; readonly value: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: Expression }
  | Binary;

export interface Binary {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
}

/** The differences between the languages. */
export interface Grammar {
  /** For error messages: "a metric math expression". */
  readonly what: string;
  /** Binary operators in rows of increasing precedence. Words are in lower case and match any case. */
  readonly operators: readonly (readonly string[])[];
  /** Prefix operators, with the row of `operators` whose operators end their operand. */
  readonly prefixes: Readonly<Record<string, number>>;
  readonly name: RegExp;
  /** The operator between operands that have none between them. */
  readonly implicit?: string;
  /** Whether `like /…/` is allowed. */
  readonly regexes?: boolean;
  /** Whether `5m` is a text. */
  readonly durations?: boolean;
}

interface Token {
  readonly kind: "number" | "text" | "regex" | "name" | "sign" | "end";
  readonly text: string;
}

/** @throws ServiceError `ValidationError` with the expression and the unexpected part */
export function parseExpression(source: string, grammar: Grammar): Expression {
  const tokens = tokensOf(source, grammar);
  const parser = new Parser(tokens, { source, grammar });
  const expression = parser.expression(0);
  parser.expect("end", "");
  return expression;
}

interface Input {
  readonly source: string;
  readonly grammar: Grammar;
}

const refusal = ({ source, grammar }: Input, problem: string): ServiceError =>
  new ServiceError("ValidationError", `${grammar.what} is not understood locally: ${problem} in "${source}"`);

/** A precedence-climbing parser for the grammar's operators. */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #input: Input;
  #at = 0;

  constructor(tokens: readonly Token[], input: Input) {
    this.#tokens = tokens;
    this.#input = input;
  }

  expression(lowest: number): Expression {
    let left = this.#operand();
    for (;;) {
      const found = this.#binary();
      if (found === undefined || found.row < lowest) return left;
      if (found.taken) this.#at += 1;
      left = { kind: "binary", operator: found.operator, left, right: this.expression(found.row + 1) };
    }
  }

  expect(kind: Token["kind"], text: string): void {
    const token = this.#peek();
    if (token.kind !== kind || token.text !== text) throw this.#unexpected(token);
    this.#at += 1;
  }

  #binary(): { readonly operator: string; readonly row: number; readonly taken: boolean } | undefined {
    const { operators, implicit } = this.#input.grammar;
    const token = this.#peek();
    const word = token.kind === "name" || token.kind === "sign" ? token.text.toLowerCase() : "";
    const row = operators.findIndex((names) => names.includes(word));
    if (row !== -1) return { operator: word, row, taken: true };
    const startsOperand = token.kind !== "end" && (token.kind !== "sign" || token.text === "(");
    if (implicit === undefined || !startsOperand) return undefined;
    return {
      operator: implicit,
      row: operators.findIndex((names) => names.includes(implicit)),
      taken: false,
    };
  }

  #operand(): Expression {
    const token = this.#peek();
    this.#at += 1;
    const prefixRow = this.#input.grammar.prefixes[token.text.toLowerCase()];
    if (prefixRow !== undefined && (token.kind === "sign" || token.kind === "name")) {
      return { kind: "unary", operator: token.text.toLowerCase(), operand: this.expression(prefixRow) };
    }
    if (token.kind === "number") return { kind: "number", value: Number(token.text) };
    if (token.kind === "text" || token.kind === "regex") return { kind: token.kind, value: token.text };
    if (token.kind === "name") return this.#nameOrCall(token.text);
    if (token.text === "[") return { kind: "list", items: this.#items("]") };
    if (token.kind !== "sign" || token.text !== "(") throw this.#unexpected(token);
    const inner = this.expression(0);
    this.expect("sign", ")");
    return inner;
  }

  #nameOrCall(name: string): Expression {
    const token = this.#peek();
    if (token.kind !== "sign" || token.text !== "(") return { kind: "name", name };
    this.#at += 1;
    return { kind: "call", name, args: this.#items(")") };
  }

  /** Parses up to and including the closing sign. */
  #items(closing: string): readonly Expression[] {
    const items: Expression[] = [];
    while (this.#peek().text !== closing || this.#peek().kind !== "sign") {
      if (items.length > 0) this.expect("sign", ",");
      items.push(this.expression(0));
    }
    this.#at += 1;
    return items;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  #unexpected(token: Token): ServiceError {
    const found = token.kind === "end" ? "the expression ends too early" : `unexpected "${token.text}"`;
    return refusal(this.#input, found);
  }
}

const duration = /\d+(?:ms|s|m|h|d|w)\b/y;
const number = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const text = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/y;
const regex = /\/((?:[^/\\]|\\.)+)\//y;
const blank = /\s+/y;
const star = /\*(?=\s*\))/y;
const sign = /<=|>=|==|!=|=~|&&|\|\||[-+*/^<>=!()[\],%]/y;

function tokensOf(source: string, grammar: Grammar): readonly Token[] {
  const name = new RegExp(grammar.name.source, "y");
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source) ?? undefined;
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  while (at < source.length) {
    if (take(blank)) continue;
    const token = next(tokens.at(-1), { take, name, grammar });
    if (token === undefined) throw refusal({ source, grammar }, `unexpected "${source[at]}"`);
    tokens.push(token);
  }
  return tokens;
}

interface Reader {
  readonly take: (pattern: RegExp) => RegExpExecArray | undefined;
  readonly name: RegExp;
  readonly grammar: Grammar;
}

function next(previous: Token | undefined, { take, name, grammar }: Reader): Token | undefined {
  // Elsewhere, a slash is the division operator.
  const matches = previous !== undefined && /(?:like|=~)$/i.test(previous.text);
  const pattern = grammar.regexes === true && matches ? take(regex) : undefined;
  if (pattern) return { kind: "regex", text: pattern[1] ?? "" };
  const quoted = take(text);
  if (quoted) return { kind: "text", text: (quoted[1] ?? quoted[2] ?? "").replaceAll(/\\(.)/g, "$1") };
  const lasting = grammar.durations === true ? take(duration) : undefined;
  if (lasting) return { kind: "text", text: lasting[0] };
  const named = take(name);
  if (named) return { kind: "name", text: named[0].replaceAll(/\s+/g, " ") };
  const digits = take(number);
  if (digits) return { kind: "number", text: digits[0] };
  const all = take(star); // as in count(*)
  if (all) return { kind: "name", text: "*" };
  const signed = take(sign);
  return signed && { kind: "sign", text: signed[0] };
}
