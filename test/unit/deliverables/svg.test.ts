import { describe, expect, test } from "vitest";
import * as allowed from "../../../lib/deliverables/svg-allowed.ts";
import { sanitizeSvg } from "../../../lib/deliverables/svg-sanitize.ts";
import { looksScripted } from "../../../lib/deliverables/svg-scripts.ts";
import { call, errorOf } from "./samples.ts";

const open = '<svg xmlns="http://www.w3.org/2000/svg">';
const svg = (content: string): string => `${open}${content}</svg>`;

/** The sanitized content of the root, and the reported changes. */
function inside(content: string): readonly [string, readonly string[]] {
  const result = sanitizeSvg(svg(content));
  if (!result.ok) return [`refused: ${result.problem}`, []];
  return [result.markup.slice(open.length, -"</svg>".length), result.changes];
}

describe("sanitizing a valid drawing", () => {
  test.each([
    '<rect width="5" height="5" rx="1" fill="#09f" transform="translate(1 2) rotate(45)"/>',
    '<defs><linearGradient id="g" gradientUnits="userSpaceOnUse"><stop offset="0%" stop-color="red"/></linearGradient></defs><path d="M0 0L1 1" fill="url(#g)"/>',
    '<clipPath id="c"><circle r="1"/></clipPath><g clip-path="url(#c)"><rect width="1"/></g>',
    '<filter id="f"><feGaussianBlur in="SourceGraphic" stdDeviation="2"/><feDropShadow dx="1"/></filter><rect filter="url(\'#f\')"/>',
    '<text x="1" y="2" font-family="Inter, sans-serif" text-anchor="middle">A &amp; B &lt; C<tspan dy="1.2em">é ✓</tspan></text>',
    '<path id="p" d="M0 0"/><text><textPath href="#p" startOffset="50%">along</textPath></text>',
    '<symbol id="s" viewBox="0 0 1 1"><rect/></symbol><use href="#s" x="1"/>',
    '<marker id="m" markerWidth="1" refX="0" orient="auto"><path d="M0 0"/></marker><line x2="1" marker-end="url(#m)"/>',
    '<title>Plan</title><desc>What it shows</desc><rect style="fill:red;stroke-width:2px"/>',
    '<svg viewBox="0 0 1 1" preserveAspectRatio="none"><ellipse rx="1"/></svg>',
  ])("keeps %s unchanged", (content) => {
    expect(inside(content)).toEqual([content, []]);
  });
});

type Unsafe = [content: string, left: string, change: string];

const unsafe: Unsafe[] = [
  ["<script>alert(1)</script>", "", "removed <script>"],
  ["<SCRIPT>alert(1)</SCRIPT>", "", "removed <SCRIPT>"],
  ["<svg:script>alert(1)</svg:script>", "", "removed <svg:script>"],
  ['<script href="data:,alert(1)"/>', "", "removed <script>"],
  ["<script><![CDATA[alert(1)]]></script>", "", "removed <script>"],
  ["<style>rect{fill:red}</style>", "", "removed <style>"],
  ["<foreignObject><body>text<circle/></body></foreignObject>", "", "removed <foreignObject>"],
  ["<iframe>&lt;script&gt;x&lt;/script&gt;</iframe>", "", "removed <iframe>"],
  ['<embed src="x"/>', "", "removed <embed>"],
  ['<object data="x">text</object>', "", "removed <object>"],
  ['<image href="https://evil.example/x.png"/>', "", "removed <image>"],
  ['<feImage href="https://evil.example/x.png"/>', "", "removed <feImage>"],
  ['<animate attributeName="href" values="javascript:x"/>', "", "removed <animate>"],
  ['<set attributeName="onclick" to="x"/>', "", "removed <set>"],
  ["<handler>x</handler>", "", "removed <handler>"],
  ['<a href="javascript:alert(1)"><text>hi</text></a>', "<text>hi</text>", "removed <a>"],
  ['<g onload="x()"/>', "<g/>", "removed attribute onload"],
  ["<g OnLoad='x()'/>", "<g/>", "removed attribute OnLoad"],
  ['<g on&#108;oad="x"/>', "<g/>", "removed attribute on&#108;oad"],
  ['<use href="https://evil.example/a.svg#x"/>', "<use/>", "removed attribute href"],
  ['<use xlink:href="data:image/svg+xml,x#y"/>', "<use/>", "removed attribute xlink:href"],
  ['<use href="&#106;avascript:x"/>', "<use/>", "removed attribute href"],
  ['<use href=" #a"/>', "<use/>", "removed attribute href"],
  ['<g xml:base="https://evil.example/"/>', "<g/>", "removed attribute xml:base"],
  ['<g xmlns="http://www.w3.org/1999/xhtml"/>', "<g/>", "removed attribute xmlns"],
  ['<g xmlns:x="http://www.w3.org/1999/xhtml"/>', "<g/>", "removed attribute xmlns:x"],
  ['<g class="modal"/>', "<g/>", "removed attribute class"],
  ['<g fill="url(https://evil.example/x)"/>', "<g/>", "removed attribute fill"],
  ['<g fill="u\\72l(https://evil.example/x)"/>', "<g/>", "removed attribute fill"],
  ['<g mask="image-set(&quot;https://evil.example/x&quot; 1x)"/>', "<g/>", "removed attribute mask"],
  ['<g fill="url(#a) url(//evil.example)"/>', "<g/>", "removed attribute fill"],
  ['<g fill="javascript:x"/>', "<g/>", "removed attribute fill"],
  ['<g aria-label="conversion = 5"/>', "<g/>", "removed attribute aria-label"],
  ['<g style="position:fixed"/>', "<g/>", "removed style property position"],
  ['<g style="background:url(https://evil.example)"/>', "<g/>", "removed style property background"],
  [
    '<g style="fill:red;/*;*/stroke:blue;behavior:url(x)"/>',
    '<g style="fill:red"/>',
    "removed style property /*",
  ],
  ['<g style="width:expression(alert(1))"/>', "<g/>", "removed style property width"],
  ['<g style="fill:r\\65 d"/>', "<g/>", "removed style property fill"],
  [`<g style="font-family:'a;fill:red"/>`, '<g style="fill:red"/>', "removed style property font-family"],
  ['<g fill=""/>', "<g/>", "removed attribute fill"],
  ["<?xml-stylesheet href='x'?>", "", "removed processing instruction"],
];

describe("sanitizing an unsafe drawing", () => {
  test.each(unsafe)("reduces %s to %j and reports it", (content, left, change) => {
    const [markup, changes] = inside(`<rect/>${content}`);
    expect(markup).toBe(`<rect/>${left}`);
    expect(changes).toContain(change);
  });

  test("removes an element with its content, and nothing else", () => {
    expect(inside("<script>1</script><rect/><style>2</style><circle/>")[0]).toBe("<rect/><circle/>");
  });

  test("keeps markup in CDATA and in entities as text", () => {
    expect(inside("<text><![CDATA[<script>x</script>]]>&#60;img&gt;</text>")).toEqual([
      "<text>&lt;script&gt;x&lt;/script&gt;&lt;img&gt;</text>",
      [],
    ]);
  });

  test("keeps markup in an attribute inside the attribute", () => {
    const [markup] = inside('<desc><title><g aria-label="</title><img src=x>"/></title></desc><rect/>');
    expect(markup).toBe(
      '<desc><title><g aria-label="&lt;/title&gt;&lt;img src=x&gt;"/></title></desc><rect/>',
    );
  });

  test("removes HTML that would break out of the drawing", () => {
    expect(inside("<rect/><math><mtext><style><img src=x></style></mtext></math><p>x</p><b>y</b>")[0]).toBe(
      "<rect/>",
    );
    expect(inside('<rect/><p><img src="x"/></p><noscript><b/></noscript><textarea>z</textarea>')[0]).toBe(
      "<rect/>",
    );
  });

  test("counts repeated changes and lists at most 20 of them", () => {
    expect(inside('<rect class="a"/><rect class="b"/>')[1]).toEqual(["removed attribute class (2 times)"]);
    const many = Array.from({ length: 25 }, (_, i) => `<x${i}/>`).join("");
    expect(inside(`<rect/>${many}`)[1]).toHaveLength(21);
    expect(inside(`<rect/>${many}`)[1].at(-1)).toBe("and 5 more changes");
  });
});

describe("sanitizing a drawing with small mistakes", () => {
  const fenced = `\`\`\`svg\n<?xml version="1.0"?><!DOCTYPE svg><!-- plan -->${svg("<rect/>")}\n\`\`\``;

  test.each<[what: string, given: string, markup: string, changes: string[]]>([
    [
      "the spelling of names",
      '<SVG xmlns="http://www.w3.org/2000/svg"><LINEARGRADIENT gradientunits="userSpaceOnUse"/><Rect/></SVG>',
      svg('<linearGradient gradientUnits="userSpaceOnUse"/><rect/>'),
      [],
    ],
    ["the old name of href", svg('<use xlink:href="#a"/>'), svg('<use href="#a"/>'), []],
    ["a missing namespace", "<svg><rect/></svg>", svg("<rect/>"), ["added xmlns to <svg>"]],
    [
      "text that Studio would take for an event handler or a script",
      svg("<text>Conversion = 5, on=1, javascript&#58;x</text>"),
      svg("<text>Conversion &#61; 5, on=1, javascript&#58;x</text>"),
      [],
    ],
    [
      "prolog, comments and a Markdown fence around it",
      fenced,
      svg("<rect/>"),
      ["removed text outside <svg> (2 times)"],
    ],
    [
      "an entity that SVG does not have, which it keeps as text and reports",
      svg("<text>a&nbsp;b</text>"),
      svg("<text>a&amp;nbsp;b</text>"),
      ["&nbsp; is no entity of SVG and shows as written, use the character itself"],
    ],
  ])("corrects %s", (_, given, markup, changes) => {
    expect(sanitizeSvg(given)).toEqual({ ok: true, markup, changes });
  });
});

describe("sanitizeSvg", () => {
  test.each([
    ["hello", "no <svg> element found"],
    ["<p>x</p>", "must be one whole <svg>…</svg>, <p> is around or before it"],
    ["<svg:svg><svg:rect/></svg:svg>", "must be one whole <svg>…</svg>, <svg:svg> is around or before it"],
    [svg("<rect/>") + svg("<rect/>"), "must be one whole <svg>…</svg>, <svg> comes after it"],
    [`${svg("<rect/>")}<script>x</script>`, "must be one whole <svg>…</svg>, <script> comes after it"],
    [`${open}<rect/>`, "<svg> is never closed; is the markup cut off?"],
    [`${open}<g><rect/></svg>`, "<g> is never closed; is the markup cut off?"],
    [svg(""), "nothing that can be drawn is left"],
    [svg("<linearGradient/>"), "nothing that can be drawn is left"],
    [svg("<image/>"), "nothing that can be drawn is left (removed <image>)"],
    [svg("<rect/>&#1;"), "holds characters that XML forbids"],
    [svg("<rect/>\ud800"), "holds characters that XML forbids"],
  ])("refuses %j: %s", (content, problem) => {
    expect(sanitizeSvg(content)).toEqual({ ok: false, problem });
  });

  test("refuses a drawing that exceeds the cap once it is escaped", () => {
    const content = svg(`<rect/><text>${">".repeat(63_000)}</text>`);
    const result = sanitizeSvg(content);
    expect(result.ok ? "" : result.problem).toMatch(/^252\d{3} characters after cleaning, at most 64000$/);
  });
});

test("no allowed attribute looks like an event handler to Studio", () => {
  expect([...allowed.attributes.keys()].filter((name) => looksScripted(`${name}="x"`))).toEqual([]);
});

test("create_svg reports the changes and delivers the sanitized drawing", () => {
  const result = call("create_svg", { content: svg('<style>x</style><rect onclick="x"/>') });
  expect(result.output).toBe(
    '{"ok":true,"id":"logo","reminder":"Show it in your message with {{artifact:svg:logo}}","changed":["removed <style>","removed attribute onclick"]}',
  );
  expect(result.draft.svgs).toEqual([{ id: "logo", content: svg("<rect/>") }]);
});

test("create_svg gives the reason when it refuses a drawing", () => {
  expect(errorOf(call("create_svg", { content: "<svg><g>" }))).toBe(
    "create_svg: content: <svg> is never closed; is the markup cut off?",
  );
});
