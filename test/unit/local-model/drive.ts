import type { Conversation, ConversationItem, Turn } from "../../../local/model/conversation.ts";
import { plan } from "../../../local/model/script.ts";
import type { Call } from "./tools.ts";
import { answerFor, offered } from "./tools.ts";

export interface Story {
  /** The calls of each round. */
  readonly rounds: readonly (readonly Call[])[];
  readonly message: string;
  readonly last: Turn;
  readonly items: readonly ConversationItem[];
}

interface Options {
  readonly tools?: Conversation["tools"];
  readonly answer?: (call: Call) => string;
  readonly mostRounds?: number;
}

/** Runs the script until it stops calling tools. */
export function drive(opening: string | readonly ConversationItem[], options: Options = {}): Story {
  const { tools = offered, answer = answerFor, mostRounds = 30 } = options;
  let items = typeof opening === "string" ? [{ type: "user" as const, text: opening }] : [...opening];
  const rounds: Call[][] = [];
  for (;;) {
    const turn = plan({ tools, items });
    const calls = turn.parts.filter((part) => part.type === "call");
    const message = turn.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
    if (calls.length === 0 || rounds.length === mostRounds) {
      return { rounds, message, last: turn, items: [...items, { type: "assistant", text: message }] };
    }
    const withIds = calls.map((call, index) => ({ ...call, callId: `call_${rounds.length}_${index}` }));
    items = [
      ...items,
      ...withIds,
      ...withIds.map((call) => ({ type: "output" as const, callId: call.callId, output: answer(call) })),
    ];
    rounds.push(withIds);
  }
}
