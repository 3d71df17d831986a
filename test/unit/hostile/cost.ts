/** Less than this at once is not compared. Quadratic work that costs so little needs seconds for a megabyte. */
const negligibleMs = 50;
/** Linear work costs the same in parts. Quadratic work costs as many times more at once as there are parts. */
const parts = 8;
const mostTimesMore = 4;
/** The cheapest of a few tries counts: in the others garbage was collected or code compiled. */
const tries = 3;

/** The CPU time of this process, which other processes of a busy machine do not prolong. */
async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

export interface Text {
  /** The text, of about this length. */
  readonly make: (length: number) => string;
  readonly length: number;
}

/** Compares the cost of a text with the cost of its parts. Returns both if the work is not linear. */
export async function compareCosts(
  work: (text: string) => unknown,
  { make, length }: Text,
): Promise<string | undefined> {
  const whole = make(length);
  const part = make(length / parts);
  let atOnceMs = await cpuMs(() => work(whole));
  let inPartsMs = Infinity;
  for (let tried = 0; tried < tries; tried += 1) {
    if (atOnceMs <= negligibleMs) return undefined;
    let sumMs = 0;
    for (let at = 0; at < parts; at += 1) {
      sumMs += await cpuMs(() => work(part));
      if (atOnceMs <= mostTimesMore * sumMs) return undefined;
    }
    inPartsMs = Math.min(inPartsMs, sumMs);
    atOnceMs = Math.min(atOnceMs, await cpuMs(() => work(whole)));
  }
  return `${atOnceMs} ms of CPU time at once, ${inPartsMs} ms in ${parts} parts`;
}
