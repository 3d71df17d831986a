/** A number, perhaps with a unit. */
const figure = /^[-+−]?\s*[$€£¥]?\s*[-+−]?\d[\d\s.,']*\s*(%|[a-zA-Z€$]{1,3})?$/;

/** Longer cells are not numbers, and matching them would be slow. */
const figureCharacters = 40;

/** @param {string} cell */
export const isFigure = (cell) => cell.length <= figureCharacters && figure.test(cell);
