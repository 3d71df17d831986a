/** Patterns of secrets that people paste into settings by mistake, with the names that an error may show. */
const shapes: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "an OpenAI key", pattern: /(?<![\w-])sk-[\w-]{8,}/ },
  {
    what: "a runner key",
    pattern: /(?<![\w.:/-])[\w-]{6,}\.(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?![\w.-])/,
  },
  { what: "a signed token", pattern: /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}/ },
  { what: "an AWS access key", pattern: /(?<!\w)(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)/ },
  { what: "a password in a URL", pattern: /:\/\/[^/\s@:]*:[^/\s@]*@/ },
];

/** An unbroken run of characters this long is unreadable and may be an unknown kind of secret. */
const opaque = /[\w+/=-]{24,}/;
const shownCharacters = 80;

/** The kind of secret that the text looks like; `undefined`: none. */
export function secretLike(text: string): string | undefined {
  return shapes.find(({ pattern }) => pattern.test(text))?.what;
}

/** Replaces each part of the text that looks like a secret with a name for it. */
export function withoutSecrets(text: string): string {
  return shapes.reduce(
    (left, { what, pattern }) => left.replaceAll(new RegExp(pattern, "g"), `(${what}, not shown)`),
    text,
  );
}

/** A value for an error message; never shows one that could be a secret. */
export function describeGiven(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  const hidden = value.length > shownCharacters || opaque.test(value) || secretLike(value) !== undefined;
  return hidden ? hiddenText(value) : JSON.stringify(value);
}

/** Like `describeGiven`, for a value under an unknown name: shows no text at all. */
export function describeUnknown(value: unknown): string {
  return typeof value === "string" ? hiddenText(value) : describeGiven(value);
}

const hiddenText = (value: string): string => `a text of length ${value.length}`;
