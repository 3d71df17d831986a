import type { Clock } from "../../lib/core/clock.ts";

/** One request to the runner's API. */
export interface JournalEntry {
  readonly path: string;
  /** From the body; for a lease, from the answer. */
  readonly workspaceId?: string;
  /** The id of the caller's key, whether the key is valid or not. */
  readonly credentialId?: string;
  /** From the base address (local/caller.ts). */
  readonly caller?: string;
  /**
   * The job and the number of the lease that the call took effect on. Absent if the call was refused or had
   * no effect.
   */
  readonly jobId?: number;
  readonly lease?: number;
  /** How long that lease lasts after a heartbeat. */
  readonly leaseMs?: number;
  /** Epoch ms. */
  readonly at: number;
  /**
   * Epoch ms at which the call took effect; later than `at` if a fault delayed it. Absent if it had no
   * effect.
   */
  readonly doneAt?: number;
  /** 0: no answer has been sent. */
  readonly status: number;
  /** Epoch ms. */
  readonly answeredAt?: number;
}

export interface Journal {
  /** Records a request. Call the result to complete the entry. */
  readonly open: (path: string) => (more: Partial<Omit<JournalEntry, "path" | "at" | "answeredAt">>) => void;
  readonly entries: () => readonly JournalEntry[];
}

/** Older entries are dropped, because an idle runner polls forever. */
const maxEntries = 50_000;

export function createJournal(clock: Clock): Journal {
  const entries: JournalEntry[] = [];
  return {
    open(path) {
      let entry: JournalEntry = { path, at: clock.now(), status: 0 };
      if (entries.length >= maxEntries) entries.shift();
      entries.push(entry);
      return (end) => {
        const index = entries.lastIndexOf(entry);
        entry = { ...entry, ...end, ...(end.status === undefined ? {} : { answeredAt: clock.now() }) };
        if (index !== -1) entries[index] = entry;
      };
    },
    entries: () => [...entries],
  };
}
