import { hasCode, RunnerError } from "../core/errors.ts";
import { maxRepairRounds, maxToolRounds } from "./bounds.ts";
import type { Conversation, LoopStart } from "./conversation.ts";
import { beginConversation, hear, proceed, startFrom } from "./conversation.ts";
import type { Model, StoredTurn, Usage } from "../model/model.ts";
import { addUsage, noUsage } from "../model/model.ts";

export interface ResumeDeps {
  readonly model: Pick<Model, "retrieve">;
}

interface Link extends StoredTurn {
  readonly responseId: string;
}

/** Every round, the last answer, and the one that has not ended. */
const longestChain = maxToolRounds + maxRepairRounds + 2;
/** It runs, or its end is for good: following it tells what it came to. The others are asked for again. */
const followed: readonly StoredTurn["status"][] = ["completed", "queued", "in_progress", "incomplete"];
const unreadable = ["model_previous_response_missing", "model_rejected", "model_contract"] as const;

export interface Resumed extends LoopStart {
  /** An answer that was in order for the tool loop was not taken: its repair has been asked for. */
  readonly sentBack: boolean;
}

/**
 * Where the run stands whose responses these are, oldest first: reads them and replays their calls. Nothing is asked of
 * the model.
 * @throws RunnerError `model_previous_response_missing` where they cannot be read, or nothing of them can be used: the
 * run has to start over (`retryable`: no round has succeeded); what `Model.retrieve` throws else; `signal.reason` when aborted
 */
export async function resume(
  { model }: ResumeDeps,
  responseIds: readonly string[],
  signal: AbortSignal,
): Promise<Resumed> {
  if (responseIds.length > longestChain) throw missing(`they are more than ${longestChain}`);
  const stored = await Promise.all(
    responseIds.map((responseId, at) => {
      const isNewest = at > 0 && at === responseIds.length - 1;
      return readLink(model, { responseId, previousResponseId: responseIds[at - 1], isNewest }, signal);
    }),
  );
  return startAt(stored);
}

interface LinkToRead {
  readonly responseId: string;
  /** As the run has recorded it. */
  readonly previousResponseId: string | undefined;
  /** And not the first: its round can be asked for again. */
  readonly isNewest: boolean;
}

async function readLink(
  model: ResumeDeps["model"],
  { responseId, previousResponseId, isNewest }: LinkToRead,
  signal: AbortSignal,
): Promise<Link> {
  const stored = await model.retrieve(responseId, signal).catch((error: unknown): StoredTurn => {
    // A streamed response is not kept before it has ended.
    if (isNewest && hasCode(error, "model_previous_response_missing"))
      return { previousResponseId, status: "failed", turn: undefined, usage: noUsage };
    throw hasCode(error, ...unreadable) ? missing(error.message) : error;
  });
  // Not every provider names the response before it. One that names another has not kept this chain.
  const named = stored.previousResponseId ?? previousResponseId;
  if (named !== previousResponseId) throw missing(`${responseId} follows on another response`);
  return { ...stored, responseId, previousResponseId };
}

/** Follows the last response; where that one came to nothing, its round is asked for again. */
function startAt(chain: readonly Link[]): Resumed {
  const last = chain.at(-1);
  const earlier = chain.slice(0, -1);
  if (last === undefined) throw missing("no response of it is of use");
  const { now, usage, hasReason, sentBack } = replay(earlier);
  const { responseId, previousResponseId } = last;
  if (followed.includes(last.status)) {
    const next = { kind: "follow", responseId, previousResponseId, input: now.unsent } as const;
    return { ...startFrom(now, usage, next), sentBack };
  }
  if (previousResponseId === undefined) throw missing(`its first response is ${last.status}`, true);
  // Where its round's input is not known, the answer before it is heard once more, which leads to that input again.
  const start = hasReason
    ? startFrom(now, usage, { kind: "ask", previousResponseId, input: now.unsent })
    : startAt(earlier);
  return { ...start, sentBack, usage: addUsage(start.usage, last.usage) };
}

interface Replayed {
  readonly now: Conversation;
  readonly usage: Usage;
  /** False where the last of the turns needed nothing that the tool loop knows of, and yet has a successor. */
  readonly hasReason: boolean;
  /** The same of any of the turns. */
  readonly sentBack: boolean;
}

/** What the tool loop made of these turns when they were live: the same steps with the same rules. */
function replay(turns: readonly Link[]): Replayed {
  // The first round's input is the provider's; it is not sent again.
  let now: Conversation = { ...beginConversation({ input: "", store: true }), unsent: [] };
  let usage = noUsage;
  let hasReason = true;
  let sentBack = false;
  for (const { turn, status, usage: cost } of turns) {
    if (turn === undefined) throw missing(`one of its earlier responses is ${status} and cannot be used`);
    usage = addUsage(usage, cost);
    const heard = hear(now, turn);
    const step = proceed(heard, turn);
    hasReason = step.kind === "go_on";
    sentBack ||= !hasReason;
    // An answer in order that was not the end was sent back for a reason of others: that is a repair too.
    now = step.kind === "go_on" ? step.now : { ...heard, repairs: heard.repairs + 1 };
  }
  return { now, usage, hasReason, sentBack };
}

const missing = (why: string, retryable = false): RunnerError =>
  new RunnerError(
    "model_previous_response_missing",
    `the run's earlier responses cannot be taken up: ${why}`,
    { retryable },
  );
