/** The known name that `given` most likely means; `undefined` if none is similar. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const scored = known.map((name) => ({ name, edits: edits(given.toLowerCase(), name.toLowerCase()) }));
  const best = scored.toSorted((a, b) => a.edits - b.edits)[0];
  return best !== undefined && best.edits <= Math.max(1, Math.floor(best.name.length / 3))
    ? best.name
    : undefined;
}

/** Levenshtein distance. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, left] of from.split("").entries()) {
    let diagonal = i;
    const next = [i + 1];
    for (const [j, right] of to.split("").entries()) {
      const above = row[j + 1] ?? 0;
      const before = next[j] ?? 0;
      next.push(Math.min(above + 1, before + 1, diagonal + (left === right ? 0 : 1)));
      diagonal = above;
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
