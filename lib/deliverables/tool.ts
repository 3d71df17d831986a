import type * as z from "zod";
import { limits } from "./fields.ts";
import { describeIssues, preview } from "./problems.ts";
import type { Draft } from "./draft.ts";

export type PayloadKey = keyof Draft;

/** The result of adding one deliverable to the draft. `notes` tell the model what was changed. */
export type Applied =
  | {
      readonly ok: true;
      readonly draft: Draft;
      readonly id: string;
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

export type Cleaned<Item> =
  | { readonly ok: true; readonly item: Item; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The schema of an item as the payload contains it, including `kind` and the caps. */
export type ItemSchema = z.ZodObject<z.ZodRawShape, z.core.$strict>;

interface ToolSpec<Key extends PayloadKey> {
  /** The name that the model calls. */
  readonly name: string;
  /** KIND in `{{artifact:KIND:ID}}`. */
  readonly kind: string;
  readonly payloadKey: Key;
  /** The one argument that contains the fields. Absent: the fields are at the top level. */
  readonly wrapper?: string;
  /** The field whose value is ID in the placeholder. */
  readonly idField: "id" | "name";
  /** What the tool makes, for the README. */
  readonly makes: string;
  /** The tool's caps, for the README. */
  readonly caps: string;
  /** When to use the tool; written for the model. */
  readonly description: string;
  readonly schema: ItemSchema & z.ZodType<Draft[Key][number]>;
  /** Changes or refuses a valid item before it is kept. */
  readonly clean?: (item: Draft[Key][number]) => Cleaned<Draft[Key][number]>;
}

/**
 * One record per tool. Definitions, dispatch, caps, payload keys, placeholder kinds and the README are
 * derived from the list of tools.
 */
export interface Tool {
  readonly name: string;
  readonly kind: string;
  readonly payloadKey: PayloadKey;
  readonly wrapper: string | undefined;
  readonly idField: "id" | "name";
  readonly makes: string;
  readonly caps: string;
  readonly description: string;
  readonly schema: ItemSchema;
  /** The ID of an item of this kind, as placeholders name it; "" for anything else. */
  idOf(item: unknown): string;
  /** Never throws, and does not change the given draft. */
  apply(draft: Draft, candidate: unknown): Applied;
}

export function defineTool<Key extends PayloadKey>(spec: ToolSpec<Key>): Tool {
  const idOf = (item: unknown): string => readText(item, spec.idField);
  return {
    ...spec,
    wrapper: spec.wrapper,
    idOf,
    apply: (draft, candidate) => {
      const parsed = spec.schema.safeParse(candidate);
      if (!parsed.success) return { ok: false, problems: describeIssues(parsed.error.issues, candidate) };
      const made = draft[spec.payloadKey];
      const most = limits.most[spec.payloadKey];
      if (made.length >= most) {
        return { ok: false, problems: [`${spec.payloadKey}: ${most} of ${most} are made, no more fit`] };
      }
      const id = idOf(parsed.data);
      if (made.some((item) => foldId(idOf(item)) === foldId(id))) {
        return { ok: false, problems: [takenId(spec, id)] };
      }
      const cleaned = spec.clean?.(parsed.data) ?? { ok: true, item: parsed.data, notes: [] };
      if (!cleaned.ok) return cleaned;
      return {
        ok: true,
        draft: { ...draft, [spec.payloadKey]: [...made, cleaned.item] },
        id,
        notes: cleaned.notes,
      };
    },
  };
}

/** Normalizes an id for comparison, which ignores case and surrounding spaces. */
export const foldId = (id: string): string => id.trim().toLowerCase();

export const placeholderFor = (kind: string, id: string): string => `{{artifact:${kind}:${id}}}`;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function takenId(spec: { readonly idField: string; readonly kind: string }, id: string): string {
  return `${spec.idField}: ${preview(id)} is taken by another ${spec.kind}; ids differ in more than case`;
}

function readText(item: unknown, field: string): string {
  const value = isRecord(item) ? item[field] : undefined;
  return typeof value === "string" ? value : "";
}
