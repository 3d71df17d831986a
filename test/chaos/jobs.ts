import { currentRequest, type Script } from "../../local/model/conversation.ts";
import { plan } from "../../local/model/script.ts";
import { pick, type Random } from "./random.ts";

export interface JobKind {
  readonly name: string;
  readonly weight: number;
  /** Special words of the offline model (local/model/script.ts). */
  readonly words: string;
  /** The job fails by itself, and its user reads this. */
  readonly fails?: RegExp;
  /** Its process is killed each time that it begins. */
  readonly isPoison?: true;
}

export const jobKinds: readonly JobKind[] = [
  { name: "one tool round", weight: 34, words: "[[rounds:1]]" },
  { name: "two tool rounds", weight: 24, words: "[[rounds:2]]" },
  { name: "three tool rounds", weight: 12, words: "[[rounds:3]]" },
  { name: "slow rounds", weight: 10, words: "[[rounds:2]] [[slow:1500]]" },
  { name: "a round as long as a leg", weight: 2, words: "[[rounds:1]] [[slow:7000]]" },
  { name: "wrong calls", weight: 8, words: "[[rounds:1]] [[bad-json]] [[unknown-tool]]" },
  { name: "a repair", weight: 6, words: "[[rounds:1]] [[dangling]]" },
  { name: "declined", weight: 2, words: "[[refuse]]", fails: /declined|refused|can't help/i },
  { name: "filtered", weight: 1, words: "[[content-filter]]", fails: /filter/i },
  { name: "poison", weight: 1, words: "[[rounds:2]]", isPoison: true },
];

export interface Case {
  /** In the job's text, so that the model's side can tell whose rounds are asked. */
  readonly tag: string;
  readonly kind: JobKind;
}

/** One of each kind, then by their weights. */
export function planCases(
  { jobs, kinds }: { readonly jobs: number; readonly kinds: readonly JobKind[] },
  random: Random,
): readonly Case[] {
  return Array.from({ length: jobs }, (_, at) => ({
    tag: `case-${at + 1}`,
    kind: kinds[at] ?? pick(random, kinds),
  }));
}

export const textOf = ({ tag, kind }: Case): string =>
  `Plan the launch of product ${tag} for a small team.\n\n${kind.words}`;

/** What was asked of the model, seen from its side. */
export interface Asked {
  readonly script: Script;
  /** How often each round of a job was asked, by the round's place in the conversation. */
  of(tag: string): ReadonlyMap<string, number>;
}

export function watchAsked(): Asked {
  const asked = new Map<string, Map<string, number>>();
  return {
    script: (conversation) => {
      const { text, rounds, repairs } = currentRequest(conversation.items);
      const tag = /\b(?:case|trial)-\d+/.exec(text)?.[0] ?? "unknown";
      const ofJob = asked.get(tag) ?? new Map<string, number>();
      const place = `round ${rounds.length + 1}, repair ${repairs}`;
      asked.set(tag, ofJob.set(place, (ofJob.get(place) ?? 0) + 1));
      return plan(conversation);
    },
    of: (tag) => asked.get(tag) ?? new Map(),
  };
}

export const total = (rounds: ReadonlyMap<string, number>): number =>
  [...rounds.values()].reduce((sum, count) => sum + count, 0);
