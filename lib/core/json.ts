/** The value of a JSON text; `undefined` (which JSON cannot express) if `text` is not JSON. */
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

/** Of one answer's JSON: the longest context and the longest turn of a model are far below. */
export const longestAnswerBytes = 8 * 1024 * 1024;

/** Objects, lists and fields in one answer's JSON: `{}` takes twenty times its text in memory. */
const mostParts = 1_000_000;

/** How many objects, lists and fields a JSON text can have at most: characters inside strings count too. */
export function partsIn(json: string): number {
  let parts = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (unit === openBrace || unit === openBracket || unit === colon) parts++;
  }
  return parts;
}

const [openBrace, openBracket, colon] = [0x7b, 0x5b, 0x3a];

/** Whether JSON of this size can be parsed in the memory of a function. */
export const fitsMemory = (chars: number, parts: number): boolean =>
  chars <= longestAnswerBytes && parts <= mostParts;
