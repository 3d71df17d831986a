/**
 * Stands in for `sanitize-html` in the bundles (infra/build-functions.ts): it and its parsers take a sixth of a processor's cold
 * start, and are loaded with the first drawing.
 */
import type sanitizeHtml from "sanitize-html";

type Sanitize = (...args: Parameters<typeof sanitizeHtml>) => string;

const load = (): Sanitize => require("../node_modules/sanitize-html/index.js");

module.exports = ((...args) => load()(...args)) satisfies Sanitize;
