import * as z from "zod";

/** Schemas for values that people type. Each error says what is accepted. */

export const whole = (min: number, max: number) => {
  const hint = `Give a whole number from ${min} to ${max}.`;
  return z
    .string()
    .regex(/^\d{1,9}$/, hint)
    .transform(Number)
    .refine((value) => value >= min && value <= max, hint);
};

/** `more`: a sentence about what to do for an amount outside the range. */
export const money = (min: number, max: number, more = "") => {
  const hint = `Give an amount in US dollars from ${min} to ${max}, like 25 or 2.50.${more && ` ${more}`}`;
  return z
    .string()
    .regex(/^\d{1,9}(?:\.\d{1,9})?$/, hint)
    .transform(Number)
    .refine((value) => value >= min && value <= max, hint);
};

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `2h`, `7d` → milliseconds. */
export const duration = () => {
  const hint = "Give a time like 90s, 5m, 2h or 7d.";
  return z
    .string()
    .regex(/^[1-9]\d{0,5}[smhd]$/, hint)
    .transform((text) => Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] ?? 0));
};

/** Like `duration`, or whole seconds: `120` → 120,000. */
export const seconds = (max: number) => {
  const hint = `Give seconds from 0 to ${max}, or a time like 90s or 5m.`;
  return z
    .string()
    .regex(/^(?:\d{1,6}|[1-9]\d{0,5}[smhd])$/, hint)
    .transform((text) => Number.parseInt(text, 10) * (unitMs[text.slice(-1)] ?? 1_000))
    .refine((ms) => ms <= max * 1_000, hint);
};

export const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `Give one of: ${values.join(", ")}.` });

/** Free text for people: one line, not empty. */
export const sentence = (max = 200) => {
  const hint = `Give one line of 1 to ${max} characters.`;
  return z
    .string()
    .trim()
    .regex(/^[^\p{Cc}]+$/u, hint)
    .max(max, hint);
};

/**
 * A value of the schema, or the word "default", which removes the operator's value. The error for other input
 * names both.
 */
export const orDefault = <S extends z.ZodType>(schema: S) =>
  z.union([z.literal("default"), schema], {
    error: (issue) =>
      issue.code === "invalid_union"
        ? `${issue.errors.at(-1)?.at(0)?.message} Or give default, for the deployed value.`
        : undefined,
  });

/** The id of a workspace or a run. */
export const id = () =>
  z.string().regex(/^[\w.:-]{1,200}$/, "Give an id of letters, digits, hyphens and underscores.");
