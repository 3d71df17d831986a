import { applyEdits, modify } from "jsonc-parser";

/**
 * Replaces the value at `path` in a JSON file, in the file's own indentation; missing objects on the way are created. The
 * rest of the text stays as it is.
 * @throws SyntaxError if the text is not JSON; Error if something on the way is not an object
 */
export function replaceValue(text: string, path: readonly string[], value: unknown): string {
  JSON.parse(text);
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.includes("\t"),
    tabSize: indent.includes("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions, getInsertionIndex: () => 0 }));
}
