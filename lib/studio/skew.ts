export interface Timestamps {
  /** Epoch ms by our clock. */
  readonly sentAtMs: number;
  /** Epoch ms by our clock, when the answer's headers were there. */
  readonly receivedAtMs: number;
  /** The answer's `Date` header. */
  readonly date: string | undefined;
}

/** Smaller differences are not told from the header's whole seconds and the way there and back. */
const toleratedMs = 2_000;
/** A clock that is further off than a day is none. */
const absurdMs = 86_400_000;

/**
 * Studio's clock minus ours in milliseconds, measured at the middle of the call; 0 where it is within 2 s, within what the
 * call's own length leaves open, absurd, or not known. Our time = Studio's time − skew.
 */
export function clockSkewMs({ sentAtMs, receivedAtMs, date }: Timestamps): number {
  const dateMs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(dateMs)) return 0;
  // The header cuts the second off: on average half of one is missing.
  const skewMs = Math.round(dateMs + 500 - (sentAtMs + receivedAtMs) / 2);
  const doubtMs = (receivedAtMs - sentAtMs) / 2 + 500;
  const offMs = Math.abs(skewMs);
  return offMs > Math.max(toleratedMs, doubtMs) && offMs <= absurdMs ? skewMs : 0;
}
