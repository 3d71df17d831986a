import type { OutputItem, ResponseBody } from "./wire.ts";

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

/** One step of a generation: wait, set the response to `body`, then emit the events. */
export interface Frame {
  readonly waitMs: number;
  readonly event: Event;
  readonly body?: ResponseBody;
}

const textChunk = 60;
const argumentsChunk = 240;

/**
 * The events of one response, in the API's order. Half of the latency passes before the first item
 * ("thinking"), the rest is spread over the items.
 */
export function framesOf(initial: ResponseBody, final: ResponseBody, latencyMs: number): readonly Frame[] {
  const running: ResponseBody = { ...initial, status: "in_progress" };
  const opening: readonly Frame[] = [
    { waitMs: 0, event: { type: "response.created", response: initial } },
    ...(initial.status === "queued"
      ? [{ waitMs: 0, event: { type: "response.queued", response: initial } }]
      : []),
    { waitMs: 0, event: { type: "response.in_progress", response: running }, body: running },
  ];
  const shareMs = latencyMs / 2 / Math.max(1, final.output.length);
  const items = final.output.flatMap((item, index) => {
    const body = { ...running, output: final.output.slice(0, index + 1) };
    const waitMs = index === 0 ? latencyMs / 2 : shareMs;
    return itemFrames(itemEvents(item, index), body, waitMs);
  });
  const restMs = final.output.length === 0 ? latencyMs : shareMs;
  return [
    ...opening,
    ...items,
    { waitMs: restMs, event: { type: `response.${final.status}`, response: final }, body: final },
  ];
}

function itemFrames(events: readonly Event[], body: ResponseBody, waitMs: number): readonly Frame[] {
  return events.map((event, index) => ({
    waitMs: index === 0 ? waitMs : 0,
    event,
    ...(index === events.length - 1 ? { body } : {}),
  }));
}

function itemEvents(item: OutputItem, outputIndex: number): readonly Event[] {
  const place = { item_id: item.id, output_index: outputIndex };
  return [
    { type: "response.output_item.added", output_index: outputIndex, item: unfilled(item) },
    ...contentEvents(item, place),
    { type: "response.output_item.done", output_index: outputIndex, item },
  ];
}

function unfilled(item: OutputItem): OutputItem {
  if (item.type === "reasoning") return item;
  if (item.type === "message") return { ...item, status: "in_progress", content: [] };
  return { ...item, status: "in_progress", arguments: "" };
}

interface Place {
  readonly item_id: string;
  readonly output_index: number;
}

function contentEvents(item: OutputItem, place: Place): readonly Event[] {
  if (item.type === "reasoning") return [];
  if (item.type === "message") return item.content.flatMap((part, index) => partEvents(part, place, index));
  return [
    ...chunks(item.arguments, argumentsChunk).map((delta) => ({
      type: "response.function_call_arguments.delta",
      ...place,
      delta,
    })),
    {
      type: "response.function_call_arguments.done",
      ...place,
      name: item.name,
      arguments: item.arguments,
    },
  ];
}

type MessagePart = Extract<OutputItem, { type: "message" }>["content"][number];

function partEvents(part: MessagePart, item: Place, contentIndex: number): readonly Event[] {
  const place = { ...item, content_index: contentIndex };
  const isText = part.type === "output_text";
  const name = isText ? "response.output_text" : "response.refusal";
  const whole = isText ? part.text : part.refusal;
  const extra = isText ? { logprobs: [] } : {};
  const empty = isText ? { ...part, text: "" } : { ...part, refusal: "" };
  return [
    { type: "response.content_part.added", ...place, part: empty },
    ...chunks(whole, textChunk).map((delta) => ({ type: `${name}.delta`, ...place, delta, ...extra })),
    { type: `${name}.done`, ...place, [isText ? "text" : "refusal"]: whole, ...extra },
    { type: "response.content_part.done", ...place, part },
  ];
}

/** Cuts between code points, so that no delta contains half a character. */
function chunks(text: string, size: number): readonly string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}
