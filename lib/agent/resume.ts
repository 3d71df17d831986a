import { hasCode, RunnerError } from "../core/errors.ts";
import type { Conversation, LoopStart } from "./conversation.ts";
import {
  addTurn,
  applyTurn,
  FirstRoundFailed,
  maxRepairRounds,
  maxToolRounds,
  startConversation,
  startFrom,
} from "./conversation.ts";
import type { Model, StoredTurn, Usage } from "../model/model.ts";
import { addUsage, noUsage } from "../model/model.ts";

interface Link extends StoredTurn {
  readonly responseId: string;
}

/** All rounds, the last answer, and the round that has not ended. */
const longestChain = maxToolRounds + maxRepairRounds + 2;
/** The response runs or ended for good, so it is followed. Rounds with other ends are requested again. */
const followed: readonly StoredTurn["status"][] = ["completed", "queued", "in_progress", "incomplete"];
const unreadable = ["model_previous_response_missing", "model_rejected", "model_contract"] as const;

export interface Resumed extends LoopStart {
  /** Studio refused an answer that the tool loop accepted, and its repair was requested. */
  readonly sentBack: boolean;
}

/**
 * Rebuilds a run's conversation from its stored responses, oldest first: reads them and replays their calls. Sends no request for
 * a new round.
 * @throws RunnerError `model_previous_response_missing` if they cannot be read or used: the
 * run has to start over (FirstRoundFailed if no round has succeeded); other errors of `Model.retrieve`; `signal.reason` when aborted
 */
export async function resume(
  { model }: { readonly model: Pick<Model, "retrieve"> },
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
  /** The id that the run recorded. */
  readonly previousResponseId: string | undefined;
  /** Whether it is the last response but not the first: its round can be requested again. */
  readonly isNewest: boolean;
}

async function readLink(
  model: Pick<Model, "retrieve">,
  { responseId, previousResponseId, isNewest }: LinkToRead,
  signal: AbortSignal,
): Promise<Link> {
  const stored = await model.retrieve(responseId, signal).catch((error: unknown): StoredTurn => {
    // A streamed response is stored only when it has ended.
    if (isNewest && hasCode(error, "model_previous_response_missing"))
      return { previousResponseId, status: "failed", turn: undefined, usage: noUsage };
    throw hasCode(error, ...unreadable) ? missing(error.message) : error;
  });
  // Not every provider names the previous response. If it names another one, it has not kept this chain.
  const named = stored.previousResponseId ?? previousResponseId;
  if (named !== previousResponseId) throw missing(`${responseId} follows another response`);
  return { ...stored, responseId, previousResponseId };
}

/** Follows the last response; if it failed, requests its round again. */
function startAt(chain: readonly Link[]): Resumed {
  const last = chain.at(-1);
  const earlier = chain.slice(0, -1);
  if (last === undefined) throw missing("there are none");
  const { now, usage, needsNextRound, sentBack } = replay(earlier);
  const { responseId, previousResponseId } = last;
  if (followed.includes(last.status)) {
    const next = { kind: "follow", responseId, previousResponseId, input: now.unsent } as const;
    return { ...startFrom(now, usage, next), sentBack };
  }
  if (previousResponseId === undefined)
    throw new FirstRoundFailed(cannotResume(`its first response is ${last.status}`));
  // If its round's input is unknown, apply the answer before it once more, which produces that input again.
  const start = needsNextRound
    ? startFrom(now, usage, { kind: "ask", previousResponseId, input: now.unsent })
    : startAt(earlier);
  return { ...start, sentBack, usage: addUsage(start.usage, last.usage) };
}

interface Replayed {
  readonly now: Conversation;
  readonly usage: Usage;
  /** False if the last turn needed no further round in the tool loop, but has a successor. */
  readonly needsNextRound: boolean;
  /** The same for any turn. */
  readonly sentBack: boolean;
}

/** Replays these turns with the same steps and rules as the tool loop. */
function replay(turns: readonly Link[]): Replayed {
  // The provider has the first round's input; it is not sent again.
  let now: Conversation = { ...startConversation({ input: "", store: true }), unsent: [] };
  let usage = noUsage;
  let needsNextRound = true;
  let sentBack = false;
  for (const { turn, status, usage: cost } of turns) {
    if (turn === undefined) throw missing(`one of its earlier responses is ${status} and cannot be used`);
    usage = addUsage(usage, cost);
    const answered = addTurn(now, turn);
    const step = applyTurn(answered, turn);
    needsNextRound = step.kind === "continue";
    sentBack ||= !needsNextRound;
    // A valid answer that was not the last one was sent back because Studio refused it: that is a repair too.
    now = step.kind === "continue" ? step.now : { ...answered, repairs: answered.repairs + 1 };
  }
  return { now, usage, needsNextRound, sentBack };
}

const cannotResume = (why: string): string => `the run's earlier responses cannot be used: ${why}`;

const missing = (why: string): RunnerError =>
  new RunnerError("model_previous_response_missing", cannotResume(why));
