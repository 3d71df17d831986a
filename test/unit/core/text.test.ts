import * as fc from "fast-check";
import { expect, it } from "vitest";
import { keepHead, keepTail } from "../../../lib/core/text.ts";
import { cut } from "../../../lib/studio/words.ts";

const anyText = fc.string({ unit: "binary", maxLength: 40 });

it.each([
  ["keepHead", keepHead, (whole: string, part: string) => whole.startsWith(part)],
  ["keepTail", keepTail, (whole: string, part: string) => whole.endsWith(part)],
  ["cut", cut, (whole: string, part: string) => whole.startsWith(part)],
] as const)("%s keeps as many UTF-16 units as fit and never splits a character", (_, keep, isPart) => {
  fc.assert(
    fc.property(anyText, fc.nat(60), (text, most) => {
      const kept = keep(text, most);
      expect(kept.isWellFormed()).toBe(true);
      expect(isPart(text, kept)).toBe(true);
      expect(kept.length).toBeLessThanOrEqual(most);
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(text.length, most - 1));
    }),
  );
});
