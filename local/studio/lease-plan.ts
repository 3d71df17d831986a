import type { JobRow } from "./store.ts";

/** Who gets a job that is already leased: the key that holds it, or another one. */
export type Again = "same" | "other";

/** Lets tests change how the local Studio leases jobs. */
export interface LeasePlan {
  /** The duration of a lease of the workspace's job from now on. */
  lengthOf(workspaceId: string): number;
  /** Sets the duration of the workspace's next `leases` leases, and of their heartbeats, to `leaseMs`. */
  shorten(workspaceId: string, leaseMs: number, leases?: number): void;
  /** Gives the workspace's job to the next matching lease call, although it is already leased. */
  offerAgain(workspaceId: string, to: Again): void;
  /** Call when a lease starts; uses up one of a limited number of short leases. */
  onLease(workspaceId: string): void;
  /** The leased job that this key should get again, if any. */
  doubled(credentialId: string, presentJob: (workspaceId: string) => JobRow | undefined): JobRow | undefined;
}

export function createLeasePlan(leaseMs: number): LeasePlan {
  const lengths = new Map<string, { readonly leaseMs: number; readonly left: number }>();
  const offers = new Map<string, Again>();
  return {
    lengthOf: (workspaceId) => lengths.get(workspaceId)?.leaseMs ?? leaseMs,
    shorten: (workspaceId, shortMs, leases = Infinity) =>
      void lengths.set(workspaceId, { leaseMs: shortMs, left: leases }),
    offerAgain: (workspaceId, to) => void offers.set(workspaceId, to),
    onLease(workspaceId) {
      const length = lengths.get(workspaceId);
      if (length === undefined) return;
      if (length.left === 0) lengths.delete(workspaceId);
      else lengths.set(workspaceId, { ...length, left: length.left - 1 });
    },
    doubled(credentialId, presentJob) {
      for (const [workspaceId, to] of offers) {
        const job = presentJob(workspaceId);
        if (job?.state !== "leased") {
          offers.delete(workspaceId);
        } else if ((job.credentialId === credentialId) === (to === "same")) {
          offers.delete(workspaceId);
          return job;
        }
      }
      return undefined;
    },
  };
}
