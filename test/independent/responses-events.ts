import type { Item } from "./script.ts";

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

/** A finished response as the events of its stream, in the order and with the fields of OpenAI's API reference. */
export function eventsOf(response: Item, output: readonly Item[]): readonly Event[] {
  const unfinished = { ...response, status: "in_progress", output: [], usage: null };
  const events: readonly Event[] = [
    { type: "response.created", response: unfinished },
    { type: "response.in_progress", response: unfinished },
    ...output.flatMap((item, at) => itemEvents(item, at)),
    { type: "response.completed", response },
  ];
  return events.map((event, at) => ({ ...event, sequence_number: at }));
}

function itemEvents(item: Item, outputIndex: number): readonly Event[] {
  const place = { output_index: outputIndex, item_id: item["id"] };
  const inside: Readonly<Record<string, () => readonly Event[]>> = {
    function_call: () => callEvents(item, place),
    message: () => messageEvents(item, place),
  };
  const begun = { ...item, status: "in_progress", ...(item["type"] === "message" ? { content: [] } : {}) };
  return [
    { type: "response.output_item.added", output_index: outputIndex, item: { ...begun, arguments: "" } },
    ...(inside[String(item["type"])]?.() ?? []),
    { type: "response.output_item.done", output_index: outputIndex, item },
  ];
}

function callEvents(item: Item, place: object): readonly Event[] {
  const text = String(item["arguments"]);
  const type = "response.function_call_arguments";
  return [
    ...pieces(text).map((delta) => ({ type: `${type}.delta`, ...place, delta })),
    { type: `${type}.done`, ...place, name: item["name"], arguments: text },
  ];
}

function messageEvents(item: Item, place: object): readonly Event[] {
  const [part = {}] = item["content"] as readonly Item[];
  const text = String(part["text"]);
  const where = { ...place, content_index: 0 };
  return [
    { type: "response.content_part.added", ...where, part: { ...part, text: "" } },
    ...pieces(text).map((delta) => ({ type: "response.output_text.delta", ...where, delta, logprobs: [] })),
    { type: "response.output_text.done", ...where, text, logprobs: [] },
    { type: "response.content_part.done", ...where, part },
  ];
}

const pieces = (text: string): readonly string[] => text.match(/[\s\S]{1,40}/gu) ?? [];

/** Bytes of a server-sent stream, cut without regard to characters or lines. */
export function* framesOf(events: readonly Event[], newline: "\n" | "\r\n"): Generator<Buffer> {
  const frames = events.map((event) =>
    [`event: ${event.type}`, `data: ${JSON.stringify(event)}`, "", ""].join(newline),
  );
  const bytes = Buffer.from(`: a comment${newline}${newline}${frames.join("")}`);
  for (let at = 0; at < bytes.length; at += 1_009) yield bytes.subarray(at, at + 1_009);
}
