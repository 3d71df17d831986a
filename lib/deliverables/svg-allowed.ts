import { looksScripted } from "./svg-scripts.ts";

/**
 * What an SVG may contain. Names have their SVG spelling; `canonicalElement` and `canonicalAttribute` correct
 * a model's `viewbox` or `lineargradient`. Left out on purpose: script, style, foreignObject, image, feImage,
 * animation, links, event handlers, and `class` (it would pick up the page's styles). Also left out are seven
 * harmless attributes whose names contain "on", such as `patternContentUnits` and `specularConstant`: Studio
 * takes them for event handlers and refuses the payload.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const elements: readonly string[] = words(`
  svg g defs symbol use switch title desc
  path rect circle ellipse line polyline polygon text tspan textPath
  linearGradient radialGradient stop clipPath mask pattern marker filter
  feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap
  feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode
  feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence
`);

/** A drawing needs at least one of these elements to be visible. */
export const drawable: ReadonlySet<string> = new Set(
  words("path rect circle ellipse line polyline polygon text use"),
);

/** Elements that are removed while their contents are kept. */
export const unwrapped: readonly string[] = ["a"];

/** Presentation attributes, which are also allowed as properties in `style`. */
const presentation = words(`
  alignment-baseline baseline-shift clip-path clip-rule color color-interpolation color-interpolation-filters
  direction display dominant-baseline fill fill-opacity fill-rule filter flood-color flood-opacity font-family
  font-size font-size-adjust font-stretch font-style font-variant font-weight image-rendering letter-spacing
  lighting-color marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow paint-order
  pointer-events shape-rendering stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap
  stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-rendering
  transform transform-box transform-origin unicode-bidi vector-effect visibility word-spacing writing-mode
`);

export const styleProperties: ReadonlySet<string> = new Set([
  ...presentation,
  ...words("background background-color font height isolation max-height max-width text-transform width"),
]);

const plain = words(`
  id lang xml:lang xml:space role version viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr
  d points pathLength dx dy rotate textLength lengthAdjust startOffset method spacing side
  offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits patternUnits patternTransform
  markerUnits markerWidth markerHeight refX refY orient filterUnits primitiveUnits
  in in2 result mode operator k1 k2 k3 k4 type values tableValues slope intercept amplitude order kernelMatrix divisor
  bias targetX targetY edgeMode preserveAlpha surfaceScale kernelUnitLength azimuth elevation pointsAtX pointsAtY pointsAtZ z
  stdDeviation radius scale xChannelSelector yChannelSelector baseFrequency numOctaves seed stitchTiles
`);

/** Free text for people and screen readers. */
const spoken = words("aria-hidden aria-label aria-labelledby aria-describedby");

type Check = (value: string) => boolean;

const isQuiet: Check = (value) => value !== "" && !looksScripted(value);

const namespaces: Readonly<Record<string, string>> = {
  xmlns: "http://www.w3.org/2000/svg",
  "xmlns:xlink": "http://www.w3.org/1999/xlink",
};

export const svgNamespace = "http://www.w3.org/2000/svg";

/** Every allowed attribute, with the check for its value. */
export const attributes: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...[...presentation, ...plain].map((name): [string, Check] => [name, isSafeValue]),
  ...spoken.map((name): [string, Check] => [name, isQuiet]),
  ...Object.entries(namespaces).map(([name, only]): [string, Check] => [name, (value) => value === only]),
  ["href", (value) => /^#[\w.-]+$/.test(value) && isQuiet(value)],
]);

const elementSpelling = new Map(elements.map((name) => [name.toLowerCase(), name]));
const attributeSpelling = new Map([...attributes.keys()].map((name) => [name.toLowerCase(), name]));

/** The allowed element with this name in any case, or undefined. */
export const canonicalElement = (name: string): string | undefined => elementSpelling.get(name.toLowerCase());

/** The allowed attribute with this name in any case, or undefined. `xlink:href` is the old name of `href`. */
export function canonicalAttribute(name: string): string | undefined {
  const lower = name.toLowerCase();
  return attributeSpelling.get(lower === "xlink:href" ? "href" : lower);
}

const localUrl = /url\(\s*(["']?)#[\w.-]+\1\s*\)/gi;
const functions: ReadonlySet<string> = new Set([
  "",
  ...words(`
    rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix var calc min max clamp
    matrix matrix3d translate translatex translatey scale scalex scaley rotate skewx skewy skew
    blur brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia
    circle ellipse polygon inset path linear-gradient radial-gradient
  `),
]);

/** Allows no CSS escapes, no function that can load something, and `url()` for local ids only. */
function isSafeValue(value: string): boolean {
  if (!isQuiet(value) || value.includes("\\")) return false;
  const calls = value.replaceAll(localUrl, "").split("(").slice(0, -1);
  return calls.every((before) => functions.has(lastWord(before).toLowerCase()));
}

/**
 * The function's name before a bracket. Splits instead of matching, because a pattern takes quadratic time on
 * long runs of letters.
 */
const lastWord = (before: string): string =>
  before
    .trimEnd()
    .split(/[^\w-]/)
    .at(-1) ?? "";

/** The characters allowed in the value of one declaration; none of them can end it. */
export const styleValue = /^[\w\s#%.,()'"+*/!-]+$/;

export function isSafeStyleValue(value: string): boolean {
  const count = (character: string): number => value.split(character).length - 1;
  const paired = count("(") === count(")") && count("'") % 2 === 0 && count('"') % 2 === 0;
  return paired && styleValue.test(value) && isSafeValue(value);
}
