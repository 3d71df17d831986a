import type { JournalEntry } from "../../local/studio/journal.ts";

export interface PostAfterLoss {
  readonly workspaceId: string;
  readonly path: string;
  readonly status: number;
  /** Time from the known loss to the post. */
  readonly afterMs: number;
  readonly known: "by an answer" | "by the lease's own end";
}

/**
 * A post and the answer that reports the loss can cross on their way, and the runner knows Studio's time only
 * to half a second.
 */
const raceMs = { answer: 500, end: 1_500 };

const posts = ["/completeWorkspaceJob", "/failWorkspaceJob"];
const lossStatuses = [403, 404, 409, 410, 412];

/**
 * Posts with which a runner tried to deliver or fail a job although it had to know that its lease was gone.
 * Uses Studio's journal only, for one lease (workspace and key) at a time. A post counts if
 * - an earlier request under the same lease was answered that the lease is gone (403, 404, 409, 410, 412),
 *   more than half a second before the post arrived; or
 * - the last lease or heartbeat that Studio granted had expired more than a second and a half before the post
 *   arrived.
 * A post whose own answer reported the loss does not count, because no heartbeat could have reported it sooner.
 */
export function postsAfterLoss(
  journal: readonly JournalEntry[],
  leaseMs: number,
  lagMs = 0,
): readonly PostAfterLoss[] {
  const ofJobs = journal.filter(({ workspaceId }) => workspaceId !== undefined);
  const byHolder = Map.groupBy(ofJobs, ({ workspaceId, credentialId }) => `${workspaceId} ${credentialId}`);
  return [...byHolder.values()].flatMap((entries) =>
    splitByLease(entries.toSorted((left, right) => orderOf(left) - orderOf(right))).flatMap((lease) =>
      ofLease(lease, { leaseMs, lagMs }),
    ),
  );
}

/**
 * A lease or heartbeat that a fault delayed counts from when it took effect, a post from when it was sent.
 */
const orderOf = ({ path, at, doneAt = at }: JournalEntry): number => (extendsLease(path) ? doneAt : at);

/** Each part starts with the lease call itself. */
function splitByLease(entries: readonly JournalEntry[]): readonly (readonly JournalEntry[])[] {
  const leases: JournalEntry[][] = [];
  for (const entry of entries) {
    if (entry.path === "/leaseWorkspaceJob" || leases.length === 0) leases.push([]);
    leases.at(-1)?.push(entry);
  }
  return leases;
}

interface Times {
  readonly leaseMs: number;
  /** The longest time that this process was held up, and so how late it sees events. */
  readonly lagMs: number;
}

function ofLease(entries: readonly JournalEntry[], { leaseMs, lagMs }: Times): readonly PostAfterLoss[] {
  return entries.flatMap((post, at): readonly PostAfterLoss[] => {
    if (!posts.includes(post.path)) return [];
    const before = entries.slice(0, at);
    const lossKnownAt = before.find(({ status }) => lossStatuses.includes(status))?.answeredAt;
    const granted = before.findLast(({ path, status }) => extendsLease(path) && status < 300);
    const { path, status, workspaceId = "" } = post;
    if (lossKnownAt !== undefined && post.at - lossKnownAt > raceMs.answer + lagMs) {
      return [{ workspaceId, path, status, afterMs: post.at - lossKnownAt, known: "by an answer" }];
    }
    const end = granted === undefined ? undefined : orderOf(granted) + (granted.leaseMs ?? leaseMs);
    if (end !== undefined && post.at - end > raceMs.end + lagMs) {
      return [{ workspaceId, path, status, afterMs: post.at - end, known: "by the lease's own end" }];
    }
    return [];
  });
}

const extendsLease = (path: string): boolean =>
  path === "/leaseWorkspaceJob" || path === "/heartbeatWorkspaceJob";
