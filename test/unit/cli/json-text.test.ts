import { describe, expect, it } from "vitest";
import { replaceValue } from "../../../cli/json-text.ts";

const path = ["context", "runner"] as const;

describe("replacing a value in a JSON file", () => {
  it.each([
    [
      '{\n  "app": "x",\n  "context": {\n    "runner": { "old": [1, {"a": "}"}] },\n    "z":   1\n  }\n}\n',
      '{\n  "app": "x",\n  "context": {\n    "runner": {\n      "new": 1\n    },\n    "z":   1\n  }\n}\n',
    ],
    [
      '{\n\t"context": {\n\t\t"z": 1\n\t}\n}',
      '{\n\t"context": {\n\t\t"runner": {\n\t\t\t"new": 1\n\t\t},\n\t\t"z": 1\n\t}\n}',
    ],
    [
      '{\r\n  "context": {}\r\n}',
      '{\r\n  "context": {\r\n    "runner": {\r\n      "new": 1\r\n    }\r\n  }\r\n}',
    ],
    ['{ "context": { "runner": "a \\" b" } }', '{ "context": { "runner": {\n      "new": 1\n    } } }'],
  ])("keeps the rest of the text unchanged: %j", (before, after) => {
    expect(replaceValue(before, path, { new: 1 })).toBe(after);
    expect(JSON.parse(after).context.runner).toEqual({ new: 1 });
  });

  it("creates missing parent objects", () => {
    expect(JSON.parse(replaceValue("{}", path, 1))).toEqual({ context: { runner: 1 } });
    const replaced: unknown = JSON.parse(replaceValue('{"a":{"context":2}}', path, 1));
    expect(replaced).toEqual({ context: { runner: 1 }, a: { context: 2 } });
  });

  it("throws on invalid JSON, and on a parent that is an array", () => {
    expect(() => replaceValue("{", path, 1)).toThrow(SyntaxError);
    expect(() => replaceValue('{"context": []}', path, 1)).toThrow("Can not add index to parent");
  });
});
