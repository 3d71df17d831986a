import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { applyToolCall, toolDefinitions } from "../../../lib/deliverables/registry.ts";
import type { Conversation, ConversationItem, Turn } from "../../../local/model/conversation.ts";
import { plan } from "../../../local/model/script.ts";

export interface Call {
  readonly name: string;
  readonly arguments: string;
}

interface Story {
  /** The calls of each round. */
  readonly rounds: readonly (readonly Call[])[];
  /** The runner's answers to calls that it rejected or changed. */
  readonly complaints: readonly string[];
  /** The placeholders of the deliverables that the runner created. */
  readonly made: readonly string[];
  readonly message: string;
  readonly last: Turn;
  readonly items: readonly ConversationItem[];
}

interface Options {
  readonly tools?: Conversation["tools"];
  /** Answers the calls in place of the runner. */
  readonly answer?: (call: Call) => string;
  readonly mostRounds?: number;
}

export const placeholdersIn = (text: string): string[] => text.match(/\{\{artifact:[^}]*\}\}/g) ?? [];

/** Runs the script with the runner's own tools until it stops calling them. */
export function drive(opening: string | readonly ConversationItem[], options: Options = {}): Story {
  const runner = createRunner();
  const { tools = toolDefinitions, answer = runner.answer, mostRounds = 30 } = options;
  let items = typeof opening === "string" ? [{ type: "user" as const, text: opening }] : [...opening];
  const rounds: Call[][] = [];
  for (;;) {
    const turn = plan({ tools, items });
    const calls = turn.parts.filter((part) => part.type === "call");
    const message = turn.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
    if (calls.length === 0 || rounds.length === mostRounds) {
      const { complaints, made } = runner;
      const all = [...items, { type: "assistant" as const, text: message }];
      return { rounds, complaints, made, message, last: turn, items: all };
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

function createRunner() {
  let draft = emptyDraft;
  const complaints: string[] = [];
  const made: string[] = [];
  const answer = (call: Call): string => {
    const { draft: next, ok, output } = applyToolCall(draft, call);
    draft = next;
    if (!ok || output.includes('"changed"')) complaints.push(output);
    if (ok) made.push(...placeholdersIn(output));
    return output;
  };
  return { answer, complaints, made };
}
