import { currentRequest, type Conversation, type Turn } from "../../local/model/conversation.ts";
import { plan } from "../../local/model/script.ts";

export interface JobKind {
  readonly name: string;
  readonly weight: number;
  /** Special words of the offline model (docs/offline-model.md). */
  readonly words: string;
  /** The job fails without any fault, and its user reads this. */
  readonly fails?: RegExp;
  /** The process is killed each time the job starts. */
  readonly isPoison?: true;
  /** `slow`: almost as long as an attempt. `long`: longer. */
  readonly pace?: "slow" | "long";
}

export const jobKinds: readonly JobKind[] = [
  { name: "one tool round", weight: 34, words: "[[rounds:1]]" },
  { name: "two tool rounds", weight: 24, words: "[[rounds:2]]" },
  { name: "three tool rounds", weight: 12, words: "[[rounds:3]]" },
  { name: "slow rounds", weight: 10, words: "[[rounds:2]] [[slow:1200]]", pace: "slow" },
  { name: "a round as long as an attempt", weight: 2, words: "[[rounds:1]] [[slow:7000]]" },
  {
    name: "more rounds than fit into an attempt",
    weight: 3,
    words: "[[rounds:3]] [[slow:1800]]",
    pace: "long",
  },
  { name: "wrong calls", weight: 8, words: "[[rounds:1]] [[bad-json]] [[unknown-tool]]" },
  { name: "a repair", weight: 6, words: "[[rounds:1]] [[dangling]]" },
  { name: "declined", weight: 2, words: "[[refuse]]", fails: /declined|refused|can't help/i },
  { name: "filtered", weight: 1, words: "[[content-filter]]", fails: /filter/i },
  { name: "poison", weight: 1, words: "[[rounds:2]]", isPoison: true },
];

export interface Case {
  /** Part of the job's text, so that the model's side can tell which job a round belongs to. */
  readonly tag: string;
  readonly kind: JobKind;
}

export const textOf = ({ tag, kind }: Case): string =>
  `Plan the launch of product ${tag} for a small team.\n\n${kind.words}`;

const tags = /\b(?:case|trial)-\d+b?\b/g;
const marks = /\[for ((?:case|trial)-\d+b?)\]/g;
const markOf = (tag: string): string => `[for ${tag}]`;

/** The jobs that a message, a deliverable or a failure's reason names as its own. */
export const markedFor = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(marks)].map(([, tag = ""]) => tag));

export type Asked = ReturnType<typeof watchAsked>;

/** The offline model's script, extended to write the job's tag into each answer. */
export function watchAsked() {
  const asked = new Map<string, Map<string, number>>();
  return {
    script: (conversation: Conversation) => {
      const { text, rounds, repairs } = currentRequest(conversation.items);
      // The newest message is last; earlier messages of the workspace may come before it.
      const tag = text.match(tags)?.at(-1) ?? "unknown";
      const ofJob = asked.get(tag) ?? new Map<string, number>();
      const place = `round ${rounds.length + 1}, repair ${repairs}`;
      asked.set(tag, ofJob.set(place, (ofJob.get(place) ?? 0) + 1));
      return marked(plan(conversation), markOf(tag));
    },
    /** How often each round of a job was requested, by the round's place in the conversation. */
    of: (tag: string): ReadonlyMap<string, number> => asked.get(tag) ?? new Map(),
  };
}

function marked(turn: Turn, mark: string): Turn {
  const parts = turn.parts.map((part) => {
    if (part.type === "text") return { ...part, text: `${part.text}\n\n${mark}` };
    if (part.type === "refusal") return { ...part, refusal: `${part.refusal} ${mark}` };
    return { ...part, arguments: withMarkedTitles(part.arguments, mark) };
  });
  return { ...turn, parts };
}

/** Arguments that are invalid on purpose stay unchanged. */
function withMarkedTitles(text: string, mark: string): string {
  try {
    const titled = (name: string, value: unknown): unknown =>
      name === "title" && typeof value === "string" ? `${value} ${mark}` : value;
    return JSON.stringify(JSON.parse(text, titled));
  } catch {
    return text;
  }
}

export const total = (rounds: ReadonlyMap<string, number>): number =>
  [...rounds.values()].reduce((sum, count) => sum + count, 0);
