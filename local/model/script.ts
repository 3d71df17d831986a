/**
 * The offline model's script. Finds the answer that was written for the request, or takes the general one,
 * calls its steps in waves, repeats failed calls in a corrected form, and sends the message last. A request
 * without tools gets a summary. Special words in the last paragraph of the user's text (earlier ones may be
 * older messages) change what it does.
 */
import { parseJson } from "../../lib/core/json.ts";
import type {
  Conversation,
  CurrentRequest,
  OfferedTool,
  Round,
  Script,
  Turn,
  TurnPart,
} from "./conversation.ts";
import { currentRequest } from "./conversation.ts";
import { fitToSchema, isObject } from "./fit.ts";
import { general } from "./scenarios/general.ts";
import { scenarioFor } from "./scenarios.ts";
import type { SpecialWords } from "./special-words.ts";
import { endings, longText, mistakes, roundNote, specialWords } from "./special-words.ts";
import type { Answer, Step } from "./steps.ts";
import { idForTry } from "./steps.ts";
import { summarize } from "./summary.ts";
import type { Topic } from "./topic.ts";
import { topicOf } from "./topic.ts";

export const cannedNotes = {
  figures: "_Canned answer of the offline model; the figures are invented._",
  plain: "_Canned answer of the offline model._",
} as const;

const triesPerStep = 4;

export const plan: Script = (conversation) => {
  const request = currentRequest(conversation.items);
  if (conversation.tools.length === 0) return message(summarize(request.text));
  const topic = topicOf(request.text);
  const words = specialWords(topic.text.split(/\n\s*\n/).at(-1) ?? "");
  const ending = Object.entries(endings).find(([name]) => words.has(name))?.[1];
  const turn = ending ?? workTurn(conversation, request, { topic, words });
  const latencyMs = words.number("slow");
  return latencyMs === undefined ? turn : { ...turn, latencyMs };
};

interface Reading {
  readonly topic: Topic;
  readonly words: SpecialWords;
}

function workTurn(conversation: Conversation, request: CurrentRequest, reading: Reading): Turn {
  const answer = scenarioFor(reading.topic.text) ?? general(reading.topic);
  const extra = Object.entries(mistakes).flatMap(([name, step]) => (reading.words.has(name) ? [step] : []));
  const offered = new Set(conversation.tools.map((tool) => tool.name));
  const waves = [[...extra, ...(answer.waves[0] ?? [])], ...answer.waves.slice(1)]
    .map((wave) => wave.filter((step) => offered.has(step.tool)))
    .filter((wave) => wave.length > 0);
  const states = replay(inRounds(waves, reading.words, request.rounds.length), request.rounds);
  const open = openSteps(states, request.rounds.length);
  if (open.length > 0) return callTurn(open, conversation.tools);
  const whole = { ...answer, message: [...answer.message, ...extra.map((step) => ({ show: step.id }))] };
  return message(messageText(whole, states, { ...reading, repairs: request.repairs }));
}

/** Distributes the waves over the number of rounds that `[[rounds:N]]` or `[[endless]]` asks for. */
function inRounds(
  waves: readonly (readonly Step[])[],
  words: SpecialWords,
  done: number,
): readonly (readonly Step[])[] {
  const wanted = words.has("endless") ? Math.max(done + 1, waves.length) : words.number("rounds");
  if (wanted === undefined) return waves;
  const kept = waves.slice(0, wanted);
  const folded = waves.slice(wanted).flat();
  const last = kept.at(-1);
  const start = last === undefined ? kept : [...kept.slice(0, -1), [...last, ...folded]];
  const notes = Array.from({ length: Math.max(0, wanted - waves.length) }, (_, index) => [
    roundNote(waves.length + index + 1),
  ]);
  return [...start, ...notes];
}

interface StepState {
  readonly step: Step;
  readonly wave: number;
  readonly attempt: number;
  readonly done: boolean;
}

const isOpen = (state: StepState): boolean => !state.done && state.attempt < triesPerStep;

const openSteps = (states: readonly StepState[], round: number): readonly StepState[] =>
  states.filter((state) => state.wave <= round && isOpen(state));

/** The state of every step after the past rounds. The calls of a round are known, and its outputs show which succeeded. */
function replay(waves: readonly (readonly Step[])[], rounds: readonly Round[]): readonly StepState[] {
  const start = waves.flatMap((steps, wave) =>
    steps.map((step) => ({ step, wave, attempt: 0, done: false })),
  );
  return rounds.reduce<readonly StepState[]>((states, round, index) => {
    const called = openSteps(states, index);
    return states.map((state) => {
      const position = called.indexOf(state);
      if (position < 0) return state;
      return succeeded(round.calls[position]?.output)
        ? { ...state, done: true }
        : { ...state, attempt: state.attempt + 1 };
    });
  }, start);
}

/** A tool answers with JSON that contains `ok`. Any other output counts as success. */
function succeeded(output: string | undefined): boolean {
  if (output === undefined) return false;
  const answer = parseJson(output);
  return !isObject(answer) || answer["ok"] !== false;
}

function callTurn(states: readonly StepState[], tools: readonly OfferedTool[]): Turn {
  return { parts: states.map((state) => callOf(state, tools)), outcome: "completed" };
}

function callOf({ step, attempt }: StepState, tools: readonly OfferedTool[]): TurnPart {
  const mistake = attempt === 0 ? step.mistake : undefined;
  const name = mistake?.tool ?? step.tool;
  const wanted = mistake?.arguments ?? step.argumentsFor(idForTry(step, attempt));
  if (typeof wanted === "string") return { type: "call", name, arguments: wanted };
  const schema = tools.find((tool) => tool.name === name)?.parameters;
  return { type: "call", name, arguments: JSON.stringify(fitToSchema(wanted, schema)) };
}

function messageText(
  answer: Answer,
  states: readonly StepState[],
  reading: Reading & { readonly repairs: number },
): string {
  const { words, repairs } = reading;
  const dangles = words.has("dangling-forever") || (words.has("dangling") && repairs === 0);
  const shown = answer.message.flatMap((paragraph) => {
    if (typeof paragraph === "string") return [paragraph];
    const state = states.find(({ step, done }) => done && step.id === paragraph.show);
    return state === undefined
      ? []
      : [`{{artifact:${state.step.kind}:${idForTry(state.step, state.attempt)}}}`];
  });
  return [
    ...shown,
    ...(dangles ? ["The outlook for the year:", "{{artifact:chart:quarterly-outlook}}"] : []),
    ...(words.has("long-message") && repairs === 0 ? [longText] : []),
    answer.hasFigures ? cannedNotes.figures : cannedNotes.plain,
  ].join("\n\n");
}

const message = (text: string): Turn => ({ parts: [{ type: "text", text }], outcome: "completed" });
