/** Injects faults for tests: things that Lambda may do at any time. `function` is a label ("processor"). */
export interface Faults {
  /** Delivers each of the next `count` asynchronous events twice, with the same request id. */
  duplicate(count: number): void;
  /** Accepts the next `count` asynchronous events and never delivers them. */
  dropEvent(count: number): void;
  /** Delays the first attempt of every asynchronous event from now on; 0 ends the delay. */
  delayEvent(ms: number): void;
  /**
   * Kills the process of the function's next invocation this long after it starts, as `kill -9` does, or as
   * at the memory limit.
   */
  kill(functionLabel: string, afterMs: number, how?: Kill["how"]): void;
  /**
   * Freezes a process during an invocation for `ms`, as if its host had stopped; its timeout stops too.
   * `false`: it runs no invocation.
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
