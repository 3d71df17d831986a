import type { Clock } from "../../lib/core/clock.ts";

/** How a lease ended. `doubled`: the job was leased again to the same key. `moved`: to another key. */
export type LeaseEnd = "completed" | "failed" | "expired" | "stolen" | "doubled" | "moved";

/** One lease of one job. Tests compare a runner's own records with these. Times are epoch ms. */
export interface LeaseRecord {
  readonly workspaceId: string;
  readonly jobId: number;
  /** 1 for the job's first lease. */
  readonly lease: number;
  readonly credentialId: string;
  readonly fromMs: number;
  readonly untilMs?: number;
  /** Absent: the lease has not ended. */
  readonly end?: LeaseEnd;
}

export interface LeaseLog {
  begin(lease: Pick<LeaseRecord, "workspaceId" | "jobId" | "lease" | "credentialId">): void;
  /** Ends the job's present lease, if there is one. */
  end(jobId: number, how: LeaseEnd): void;
  /** In order of their start. */
  records(): readonly LeaseRecord[];
}

/** Older leases are dropped. */
const maxRecords = 20_000;

export function createLeaseLog(clock: Clock): LeaseLog {
  const records = new Map<string, LeaseRecord>();
  const present = new Map<number, LeaseRecord>();
  const keyOf = ({ jobId, lease }: LeaseRecord): string => `${jobId} ${lease}`;
  return {
    begin(lease) {
      const record = { ...lease, fromMs: clock.now() };
      const [oldest] = records.keys();
      if (records.size >= maxRecords && oldest !== undefined) records.delete(oldest);
      records.set(keyOf(record), record);
      present.set(lease.jobId, record);
    },
    end(jobId, how) {
      const record = present.get(jobId);
      if (record === undefined) return;
      present.delete(jobId);
      records.set(keyOf(record), { ...record, untilMs: clock.now(), end: how });
    },
    records: () => [...records.values()],
  };
}
