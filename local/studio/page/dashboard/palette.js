import { readTheme } from "../deliverables/chart-theme.js";

/** The number of series with a colour of their own. Further ones reuse the palette in paler shades. */
const mostSeries = 24;

/**
 * A label keeps its colour while the page is open, even if other series appear or disappear.
 * @returns {(label: string) => string}
 */
export function paletteOf() {
  /** @type {Map<string, number>} */
  const places = new Map();
  return (label) => {
    const place = places.get(label) ?? places.size;
    places.set(label, place);
    return readTheme(mostSeries).colours[place % mostSeries] ?? "gray";
  };
}
