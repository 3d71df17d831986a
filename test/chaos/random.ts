export type Random = () => number;

/**
 * A separate stream of numbers from 0 (included) to 1 (excluded) for each name: mulberry32 with a hash of
 * seed and name.
 */
export function seeded(seed: number, name: string): Random {
  let state = Array.from(name).reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193),
    seed | 0,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const between = (random: Random, low: number, high: number): number =>
  Math.round(low + random() * (high - low));

export interface Weighted {
  readonly weight: number;
}

export function pick<T extends Weighted>(random: Random, rows: readonly T[]): T {
  let left = random() * rows.reduce((total, { weight }) => total + weight, 0);
  return rows.find(({ weight }) => (left -= weight) < 0) ?? rows.at(-1)!;
}

export function shuffled<T>(random: Random, rows: readonly T[]): T[] {
  const left = [...rows];
  return Array.from({ length: left.length }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}
