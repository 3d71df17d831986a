/** The construct id of a pool, and the prefix of its outputs' names: `europe-2` → `PoolEurope2`. */
export function poolId(name: string): string {
  const words = name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `Pool${words.join("")}`;
}
