import { createParser, type EventSourceMessage } from "eventsource-parser";
import { longestAnswerBytes } from "../bounded.ts";
import { answerTooLong, type ModelAnswer } from "./model-wire.ts";

/** Of a stream: most of it are deltas, 200 to 300 bytes for each token, which are not kept. */
const longestStreamBytes = 128 * 1024 * 1024;

/**
 * The frames of an event stream, to its end or to "[DONE]".
 * @throws RunnerError `answer_too_long`; what the body throws
 */
export async function* framesOf({ body }: ModelAnswer): AsyncGenerator<EventSourceMessage, void> {
  const frames: EventSourceMessage[] = [];
  let bytes = 0;
  let isEventTooLong = false;
  const parser = createParser({
    maxBufferSize: longestAnswerBytes,
    onEvent: (frame) => void frames.push(frame),
    onError: ({ type }) => {
      isEventTooLong ||= type === "max-buffer-size-exceeded";
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > longestStreamBytes) throw answerTooLong(longestStreamBytes);
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (isEventTooLong) throw answerTooLong(longestAnswerBytes);
    for (const frame of frames.splice(0)) {
      if (frame.data === "[DONE]") return;
      yield frame;
    }
  }
}
