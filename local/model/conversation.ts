/** The script's input and output. wire.ts has the formats of the API. */

export type ConversationItem =
  | { readonly type: "user"; readonly text: string }
  | { readonly type: "assistant"; readonly text: string }
  | { readonly type: "call"; readonly callId: string; readonly name: string; readonly arguments: string }
  | { readonly type: "output"; readonly callId: string; readonly output: string };

export interface OfferedTool {
  readonly name: string;
  /** JSON Schema of the arguments; null if the tool takes none. */
  readonly parameters: Readonly<Record<string, unknown>> | null;
}

/** The whole conversation so far, from a chain of stored responses or from one input. */
export interface Conversation {
  readonly tools: readonly OfferedTool[];
  readonly items: readonly ConversationItem[];
}

export type TurnPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "refusal"; readonly refusal: string }
  | { readonly type: "call"; readonly name: string; readonly arguments: string };

export type TurnOutcome = "completed" | "max_output_tokens" | "content_filter" | "failed";

export interface Turn {
  readonly parts: readonly TurnPart[];
  readonly outcome: TurnOutcome;
  /** How long the turn takes. Absent: the server's default latency. */
  readonly latencyMs?: number;
}

/**
 * A pure function of the conversation, so that parallel jobs do not interfere, and a restart on the same
 * chain gets the same turn.
 */
export type Script = (conversation: Conversation) => Turn;

export interface Round {
  readonly calls: readonly { readonly name: string; readonly output: string | undefined }[];
}

export interface CurrentRequest {
  readonly text: string;
  /** Tool rounds since the request, oldest first. */
  readonly rounds: readonly Round[];
  /** How often the caller has asked for a correction of the final message. */
  readonly repairs: number;
}

/**
 * A user message after an answer is a repair prompt if it is about the answer's format. Otherwise it is a new
 * request.
 */
const repairPrompt = /placeholder|artifact|deliverable|too long|characters|empty/i;

/** The newest request and the rounds since. */
export function currentRequest(items: readonly ConversationItem[]): CurrentRequest {
  const start = items.findLastIndex(
    (item, index) => item.type === "user" && startsRequest(items, index, item.text),
  );
  const request = items.slice(Math.max(start, 0));
  const firstReply = request.findIndex((item) => item.type !== "user");
  const opening = firstReply < 0 ? request : request.slice(0, firstReply);
  const history = firstReply < 0 ? [] : request.slice(firstReply);
  return {
    text: opening.flatMap((item) => (item.type === "user" ? [item.text] : [])).join("\n\n"),
    rounds: roundsOf(history),
    repairs: history.filter((item) => item.type === "user").length,
  };
}

function startsRequest(items: readonly ConversationItem[], index: number, text: string): boolean {
  const before = items[index - 1];
  if (before === undefined) return true;
  return before.type !== "user" && !repairPrompt.test(text);
}

function roundsOf(history: readonly ConversationItem[]): readonly Round[] {
  const outputs = new Map(
    history.flatMap((item) => (item.type === "output" ? [[item.callId, item.output]] : [])),
  );
  const rounds: { name: string; output: string | undefined }[][] = [];
  history.forEach((item, index) => {
    if (item.type !== "call") return;
    if (history[index - 1]?.type !== "call") rounds.push([]);
    rounds.at(-1)?.push({ name: item.name, output: outputs.get(item.callId) });
  });
  return rounds.map((calls) => ({ calls }));
}
