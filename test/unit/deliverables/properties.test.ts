import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import {
  danglingPlaceholders,
  findPlaceholders,
  repairPrompt,
} from "../../../lib/deliverables/placeholders.ts";
import { applyToolCall, tools } from "../../../lib/deliverables/registry.ts";
import { sanitizeSvg } from "../../../lib/deliverables/svg-sanitize.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { problemsOf } from "../../../local/studio/caps.ts";
import { samples, type Fields } from "./samples.ts";

const names = tools.map(({ name }) => name);

const tags = ["svg", "g", "script", "foreignObject", "title", "desc", "a", "noscript", "textarea"];
const elements = `<svg xmlns="http://www.w3.org/2000/svg">
<rect onload="x" style="fill:red;x:y"/>
<use xlink:href="#a" href="javascript:x"/>
<a href='x'>`.split("\n");
const fragments =
  `<rect/> <text>t</text> <![CDATA[ ]]> <!-- --> javascript: on = &#61; &lt; &nope; < > "`.split(" ");
const svgPiece = fc.constantFrom(
  ...tags.flatMap((tag) => [`<${tag}>`, `</${tag}>`]),
  ...elements,
  ...fragments,
  "x =",
);
const svgSoup = fc.array(svgPiece, { maxLength: 30 }).map((pieces) => pieces.join(""));
const svgLike = svgSoup.map((soup) => `<svg><rect/>${soup}</svg>`);

/** Texts with control characters, lone surrogates and characters of several UTF-16 units. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom("😀", "👩‍👩‍👧", "é", "\u0000", "\u202e", "\n"),
  ),
  maxLength: 70,
});

/** A valid call with up to three random fields, so that most of it passes the schema. */
const nearlyGood = fc
  .tuple(
    fc.constantFrom(...names),
    fc.record({
      id: fc.oneof(fc.constant("a"), anyText, fc.constantFrom("A", " a ", "__proto__")),
      name: fc.constantFrom("a.md", "A.md", "b/c.txt", "../x.md"),
      title: fc.oneof(anyText, fc.constant(null)),
      content: fc.oneof(anyText, svgLike),
      items: fc.oneof(fc.array(anyText, { minLength: 1, maxLength: 5 }), fc.jsonValue()),
      kind: fc.constantFrom("bar", "list", null),
      extra: fc.jsonValue(),
    }),
    fc.subarray(["id", "name", "title", "content", "items", "kind", "extra"], { maxLength: 3 }),
  )
  .map(([name, wild, picked]) => {
    const sample = samples[name]!;
    const chosen = Object.fromEntries(Object.entries(wild).filter(([key]) => picked.includes(key)));
    const fields: Fields = { ...sample.fields, ...chosen };
    const json = JSON.stringify(sample.wrapper === undefined ? fields : { [sample.wrapper]: fields });
    return { name, arguments: json };
  });

const anyCall = fc.oneof(
  nearlyGood,
  nearlyGood,
  fc.record({
    name: fc.oneof(fc.constantFrom(...names), fc.string()),
    arguments: fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ svg: value, list: value })),
    ),
  }),
);

test("no call throws, every answer is JSON, and Studio accepts whatever we accept", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 12 }), (calls) => {
      let draft = emptyDraft;
      for (const call of calls) {
        const result = applyToolCall(draft, call);
        const answer: { ok: boolean; error?: string } = JSON.parse(result.output);
        expect(answer.ok).toBe(result.ok);
        expect(result.draft === draft).toBe(!result.ok);
        accepted += result.ok ? 1 : 0;
        draft = result.draft;
      }
      expect(problemsOf({ workspaceId: "ws", ...toPayload(draft, "Done.") })).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test("sanitizing a drawing removes scripts, and sanitizing it again changes nothing", () => {
  let cleaned = 0;
  fc.assert(
    fc.property(fc.oneof(svgLike, svgSoup), (soup) => {
      const first = sanitizeSvg(soup);
      if (!first.ok) return;
      cleaned += 1;
      expect(sanitizeSvg(first.markup)).toEqual({ ok: true, markup: first.markup, changes: [] });
      expect(first.markup).not.toMatch(
        /<(?:script|foreignObject|a|noscript|textarea)\b|javascript:|on\w+\s*=/i,
      );
    }),
    { numRuns: 2_000 },
  );
  expect(cleaned).toBeGreaterThan(50);
});

/** The tokens that Studio reads (Studio API, Complete job: placeholders). */
const studioTokens = /\{\{\s*artifact\s*:\s*(?:chart|table|file|svg|list|checklist)\s*:[^}]+\}\}/gi;

test("no message makes the placeholder search throw or miss a token that Studio reads", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("{{artifact:", "chart", ":", "a", "}}", "{{ artifact", "}"),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const message = pieces.join("");
      const dangling = danglingPlaceholders(message, emptyDraft);
      expect(repairPrompt(dangling, emptyDraft)).toContain("Nothing has been made");
      const again = danglingPlaceholders(dangling.map(({ token }) => token).join(" "), emptyDraft);
      expect(again).toEqual(dangling);
      const read = findPlaceholders(message).map(({ token }) => token);
      const readByStudio = message.match(studioTokens) ?? [];
      expect(readByStudio.filter((token) => !read.includes(token))).toEqual([]);
    }),
  );
});
