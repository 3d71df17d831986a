import { readTheme } from "../deliverables/chart-theme.js";

/** How many series get a colour of their own before the palette comes round again, paler. */
const mostSeries = 24;

/**
 * A label's colour stays its own while the page is open, also when other series come or go.
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
