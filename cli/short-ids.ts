/** A run's id begins with its time: ten characters say the millisecond. */
const shortest = 10;
/** An id that would lose only this many characters stays whole. */
const leastSaved = 4;

/** Shortens ids to the shortest beginnings by which they can be told apart, as git does. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const sorted = [...new Set(ids)].toSorted();
  const short = new Map(
    sorted.map((id, at) => {
      const shared = Math.max(...[sorted[at - 1], sorted[at + 1]].map((other) => sharedLength(id, other)));
      const length = Math.max(shortest, shared + 1);
      return [id, id.length - length < leastSaved ? id : id.slice(0, length)];
    }),
  );
  return (id) => short.get(id) ?? id;
}

function sharedLength(id: string, other = ""): number {
  let at = 0;
  while (at < id.length && id[at] === other[at]) at += 1;
  return at;
}
