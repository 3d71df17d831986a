import type { JobRow } from "./store.ts";

/** To whom a leased job is leased once more: to the key that holds it, or to another one. */
export type Again = "same" | "other";

/** What tests have the local Studio do with the leases that it gives; by default nothing out of the ordinary. */
export interface LeasePlan {
  /** How long a lease of the workspace's job lasts from now on. */
  lengthOf(workspaceId: string): number;
  /** The next `leases` leases of the workspace's jobs, each with its heartbeats, last `leaseMs`. */
  shorten(workspaceId: string, leaseMs: number, leases?: number): void;
  /** The next fitting lease call gets the workspace's job, although it is leased. */
  offerAgain(workspaceId: string, to: Again): void;
  /** A lease begins: a limited number of short ones is used up. */
  onLease(workspaceId: string): void;
  /** The leased job that this key is to get once more. */
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
