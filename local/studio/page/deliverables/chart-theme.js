/**
 * @typedef {object} ChartTheme
 * @property {string} text
 * @property {string} muted
 * @property {string} rule
 * @property {string} surface
 * @property {string} font
 * @property {readonly string[]} colours one per series or segment
 */

/** Series colours in the style sheet: --series-1 … --series-8. */
const paletteSize = 8;

/**
 * The present colours of the style sheet. Chart.js draws on a canvas, which cannot use custom properties.
 * @param {number} count of colours wanted
 * @returns {ChartTheme}
 */
export function readTheme(count) {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const value = (name) => style.getPropertyValue(name).trim();
  const surface = value("--surface");
  const colours = Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / paletteSize);
    return faded(value(`--series-${(index % paletteSize) + 1}`), round);
  });
  return {
    text: value("--text"),
    muted: value("--muted"),
    rule: value("--rule"),
    surface,
    font: value("--font"),
    colours,
  };
}

/**
 * The style of tooltips on every chart: the page's colours, inverted.
 * @param {ChartTheme} theme
 */
export function tooltipLook(theme) {
  return {
    backgroundColor: theme.text,
    titleColor: theme.surface,
    bodyColor: theme.surface,
    titleFont: { family: theme.font, weight: 600 },
    bodyFont: { family: theme.font },
    padding: 10,
    cornerRadius: 8,
    boxPadding: 4,
  };
}

/**
 * After the eighth series the palette repeats, paler each time.
 * @param {string} hex
 * @param {number} round
 */
function faded(hex, round) {
  return round === 0 ? hex : withAlpha(hex, round === 1 ? 0.62 : 0.36);
}

/**
 * @param {string} hex "#rrggbb"
 * @param {number} alpha 0 to 1
 */
export function withAlpha(hex, alpha) {
  const byte = Math.round(alpha * 255);
  return `${hex.slice(0, 7)}${byte.toString(16).padStart(2, "0")}`;
}
