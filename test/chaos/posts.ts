import type { JournalEntry } from "../../local/studio/journal.ts";

export interface PostAfterLoss {
  readonly workspaceId: string;
  readonly path: string;
  readonly status: number;
  /** How long after the loss was known. */
  readonly afterMs: number;
  readonly known: "by an answer" | "by the lease's own end";
}

/** A post and the news of the loss can cross on their way; our time is measured with the half second of the Date header. */
const raceMs = { answer: 500, end: 1_500 };

const posts = ["/completeWorkspaceJob", "/failWorkspaceJob"];
const lossStatuses = [403, 404, 409, 410, 412];

/**
 * Posts by which a runner tried to deliver or to fail a job although it had to know that its lease was gone. Read from
 * Studio's journal alone, one lease at a time: of a workspace, to a key. A post counts when
 * - an earlier request under the same lease was answered that the lease is gone (403, 404, 409, 410, 412), more than
 *   half a second before the post came; or
 * - the last lease or heartbeat that Studio granted had run out by more than a second and a half before the post came.
 * Posts that came first and learnt of the loss by their own answer do not count: no heartbeat could have told sooner.
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

/** A lease or heartbeat that a fault held back counts from when it took effect; a post from when its runner sent it. */
const orderOf = ({ path, at, doneAt = at }: JournalEntry): number => (extendsLease(path) ? doneAt : at);

/** Each part begins with the lease itself. */
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
  /** How long this process was held up at most: it sees news as late as that. */
  readonly lagMs: number;
}

function ofLease(entries: readonly JournalEntry[], { leaseMs, lagMs }: Times): readonly PostAfterLoss[] {
  return entries.flatMap((post, at): readonly PostAfterLoss[] => {
    if (!posts.includes(post.path)) return [];
    const before = entries.slice(0, at);
    const told = before.find(({ status }) => lossStatuses.includes(status))?.answeredAt;
    const granted = before.findLast(({ path, status }) => extendsLease(path) && status < 300);
    const { path, status, workspaceId = "" } = post;
    if (told !== undefined && post.at - told > raceMs.answer + lagMs) {
      return [{ workspaceId, path, status, afterMs: post.at - told, known: "by an answer" }];
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
