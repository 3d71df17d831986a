import { payloadKeyByKind, tools } from "./registry.ts";
import { foldId, placeholderFor } from "./tool.ts";
import type { PayloadKey } from "./tool.ts";

/** `{{artifact:KIND:ID}}` in an assistant message. `token` is the text as it was written. */
export interface Placeholder {
  readonly token: string;
  /** In lower case. The kind may not exist. */
  readonly kind: string;
  readonly id: string;
}

/** Deliverables by payload key: of a draft, or of a payload whose items are unchecked. */
export type Made = Readonly<Partial<Record<PayloadKey, readonly unknown[]>>>;

/** Matches a placeholder without its closing braces at the end of a text that contains no "}". */
const pattern = /\{\{\s*artifact\s*(?::([^{}:]*)(?::([^}]*))?)?$/i;

/**
 * Every placeholder in the order of the message, including repeated ones. Ignores case and spaces inside the
 * braces.
 */
export function findPlaceholders(message: string): readonly Placeholder[] {
  // Splits at each "}" first. One pattern for the whole message would take quadratic time on many opening
  // braces.
  const parts = message.split("}");
  return parts.flatMap((part, at) => {
    const isClosed = parts[at + 1] === "" && at + 2 < parts.length;
    const found = isClosed ? pattern.exec(part) : null;
    if (found === null) return [];
    const [opening, kind = "", id = ""] = found;
    return [{ token: `${opening}}}`, kind: kind.trim().toLowerCase(), id: id.trim() }];
  });
}

/**
 * The placeholders that name no deliverable, each kind and id once. A kind that does not exist counts too.
 */
export function danglingPlaceholders(message: string, made: Made): readonly Placeholder[] {
  const known = new Set(madeReferences(made).map(({ kind, id }) => referenceKey(kind, id)));
  const dangling = new Map<string, Placeholder>();
  for (const placeholder of findPlaceholders(message)) {
    const key = referenceKey(placeholder.kind, placeholder.id);
    if (!known.has(key) && !dangling.has(key)) dangling.set(key, placeholder);
  }
  return [...dangling.values()];
}

/**
 * A prompt for the model: which tokens have no deliverable, which deliverables exist, and the two ways to
 * correct it.
 */
export function repairPrompt(dangling: readonly Placeholder[], made: Made): string {
  const existing = madeReferences(made).map(({ kind, id }) => placeholderFor(kind, id));
  return [
    "Your message holds placeholders that have no deliverable:",
    ...dangling.map((placeholder) => `- ${placeholder.token}: ${remedy(placeholder)}`),
    existing.length === 0
      ? "Nothing has been made so far."
      : `These exist and may be used: ${existing.join(", ")}`,
    "For each placeholder above, either call the tool with exactly that id, or leave the placeholder out. Then write the whole message again.",
  ].join("\n");
}

function remedy({ kind, id }: Placeholder): string {
  const makers = tools.filter((tool) => tool.kind === kind).map(({ name }) => name);
  if (makers.length === 0) return `no such kind; the kinds are ${[...payloadKeyByKind.keys()].join(", ")}`;
  return id === "" ? "it names no id" : `make it with ${makers.join(" or ")}, or leave it out`;
}

function madeReferences(made: Made): readonly { readonly kind: string; readonly id: string }[] {
  return [...payloadKeyByKind].flatMap(([kind, key]) => {
    const maker = tools.find((tool) => tool.kind === kind);
    return maker === undefined ? [] : (made[key] ?? []).map((item) => ({ kind, id: maker.idOf(item) }));
  });
}

const referenceKey = (kind: string, id: string): string => `${kind}:${foldId(id)}`;
