import type { Clock } from "../../lib/core/clock.ts";

/** One request to the runner's API, in order of arrival. */
export interface JournalEntry {
  readonly path: string;
  /** From the body; for a lease, from the answer. */
  readonly workspaceId?: string;
  /** Of the key that the caller showed, whether it is good or not. */
  readonly credentialId?: string;
  /** From the base address (local/caller.ts). */
  readonly caller?: string;
  /** The job, and which of its leases, that the call took effect on; absent when it was refused or never got that far. */
  readonly jobId?: number;
  readonly lease?: number;
  /** How long that lease lasts from a heartbeat on. */
  readonly leaseMs?: number;
  /** Epoch ms. */
  readonly at: number;
  /** Epoch ms at which it took effect: later than `at` for a call that a fault held back; absent when it had none. */
  readonly doneAt?: number;
  /** 0: no answer was sent (yet). */
  readonly status: number;
  /** Epoch ms. */
  readonly answeredAt?: number;
}

export interface Journal {
  /** Notes a request; the result completes its entry. */
  readonly open: (path: string) => (more: Partial<Omit<JournalEntry, "path" | "at" | "answeredAt">>) => void;
  readonly entries: () => readonly JournalEntry[];
}

/** Older entries are forgotten: an idle runner polls for ever. */
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
