/** Faults on request, for tests: what Lambda may do to anybody at any time. `function` is a label ("processor"). */
export interface Faults {
  /** The next `count` asynchronous events are each delivered twice, under one request id. */
  duplicate(count: number): void;
  /** The next `count` asynchronous events are accepted and never delivered. */
  dropEvent(count: number): void;
  /** Every asynchronous event from now on waits this long before its first attempt; 0 ends it. */
  delayEvent(ms: number): void;
  /** The next invocation of the function has its process killed, this long after it began: as by `kill -9`, or at its memory limit. */
  kill(functionLabel: string, afterMs: number, how?: Kill["how"]): void;
  /**
   * A process in mid-invocation stands still for so long, as when its host does: its time-out stands still too. `false`:
   * no invocation runs in it.
   */
  freeze(pid: number, ms: number): boolean;
}

export interface Kill {
  readonly afterMs: number;
  readonly how: "signal" | "memory";
}

export interface FaultPlan extends Omit<Faults, "freeze"> {
  takeDelivery(): { readonly copies: number; readonly delayMs: number };
  takeKill(functionLabel: string): Kill | undefined;
}

export function createFaults(): FaultPlan {
  let duplicates = 0;
  let drops = 0;
  let delayMs = 0;
  const kills = new Map<string, Kill>();
  return {
    duplicate: (count) => void (duplicates += count),
    dropEvent: (count) => void (drops += count),
    delayEvent: (ms) => void (delayMs = ms),
    kill: (functionLabel, afterMs, how = "signal") => void kills.set(functionLabel, { afterMs, how }),
    takeDelivery() {
      if (drops > 0) {
        drops -= 1;
        return { copies: 0, delayMs };
      }
      if (duplicates === 0) return { copies: 1, delayMs };
      duplicates -= 1;
      return { copies: 2, delayMs };
    },
    takeKill(functionLabel) {
      const kill = kills.get(functionLabel);
      kills.delete(functionLabel);
      return kill;
    },
  };
}
