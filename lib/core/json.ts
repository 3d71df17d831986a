/** The value of a JSON text; `undefined` (which JSON cannot express) where `text` is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Issue {
  readonly path?: readonly unknown[] | undefined;
  readonly message: string;
}

/** A zod issue in one line: "attempt: Invalid input: expected number, received string". `whole` names the value itself. */
export const problemOf = ({ path, message }: Issue, whole: string): string =>
  `${path?.join(".") || whole}: ${message}`;
