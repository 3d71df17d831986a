/**
 * The model that `npm start` uses without a key. Its answers are canned, and its prices are invented, so that
 * costs and caps can be tried out.
 */
export const cannedModelName = "offline-canned";

/** Marks an amount, or the name of amounts, that comes from invented prices: "cost (invented)". */
export const markInvented = (text: string, model: string | undefined): string =>
  model === cannedModelName ? `${text} (invented)` : text;
