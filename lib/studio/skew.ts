export interface Timestamps {
  /** Epoch ms by our clock. */
  readonly sentAtMs: number;
  /** Epoch ms by our clock, when the answer's headers arrived. */
  readonly receivedAtMs: number;
  /** The answer's `Date` header. */
  readonly date: string | undefined;
}

/** Smaller differences are within the header's precision of a second and the round trip. */
const toleratedMs = 2_000;
/** A clock that is off by more than a day is ignored. */
const absurdMs = 86_400_000;

/**
 * Studio's clock minus ours in milliseconds, measured at the middle of the call; 0 if it is within 2 s or the
 * call's own duration, out of range, or unknown. Our time = Studio's time − skew.
 */
export function clockSkewMs({ sentAtMs, receivedAtMs, date }: Timestamps): number {
  const dateMs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(dateMs)) return 0;
  // The header truncates to seconds: half a second is missing on average.
  const skewMs = Math.round(dateMs + 500 - (sentAtMs + receivedAtMs) / 2);
  const doubtMs = (receivedAtMs - sentAtMs) / 2 + 500;
  const offMs = Math.abs(skewMs);
  return offMs > Math.max(toleratedMs, doubtMs) && offMs <= absurdMs ? skewMs : 0;
}
