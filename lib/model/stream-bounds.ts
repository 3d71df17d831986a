import { fitsMemory, longestAnswerBytes, partsIn } from "../core/json.ts";
import { RunnerError } from "../core/errors.ts";

/** The most bytes of a stream. Most are deltas of 200 to 300 bytes per token, which are not kept. */
const longestStreamBytes = 128 * 1024 * 1024;

export const answerTooLong = (longestBytes: number): RunnerError =>
  new RunnerError(
    "answer_too_long",
    `the model's answer is too long: more than ${longestBytes / (1024 * 1024)} MiB, or more than fits into memory`,
  );

/** Blank lines between events are meaningless, and a million of them would keep the client busy for minutes. */
const emptyLines = /(?:\r\n|\n|\r){4}/;
const withoutEmptyLines = (latin1: string): Uint8Array =>
  Buffer.from(latin1.replaceAll(/(?:\r\n|\n|\r){3,}/g, "\n\n"), "latin1");

/** Limits an event stream: throws if the stream or one of its events is too long. */
export function boundedEvents({ body, headers }: Response): Response {
  let [streamBytes, eventBytes, eventParts] = [0, 0, 0];
  let tail = ""; // an empty line may come in several chunks
  const bounds = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
      const joined = tail + text;
      const lastEnd = Math.max(
        joined.lastIndexOf("\n\n"),
        joined.lastIndexOf("\n\r\n"),
        joined.lastIndexOf("\r\r"),
      );
      if (lastEnd >= 0) [eventBytes, eventParts] = [0, 0];
      const rest = lastEnd >= 0 ? joined.slice(lastEnd + 1) : text;
      tail = joined.slice(-2);
      streamBytes += text.length;
      eventBytes += rest.length;
      eventParts += partsIn(rest);
      if (streamBytes > longestStreamBytes) controller.error(answerTooLong(longestStreamBytes));
      else if (!fitsMemory(eventBytes, eventParts)) controller.error(answerTooLong(longestAnswerBytes));
      else controller.enqueue(emptyLines.test(text) ? withoutEmptyLines(text) : chunk);
    },
  });
  return new Response(body?.pipeThrough(bounds) ?? null, { headers });
}
