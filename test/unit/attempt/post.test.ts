import { expect, test } from "vitest";
import { postUntilAnswered, type Post } from "../../../lib/attempt/post.ts";
import type { StudioJob } from "../../../lib/attempt/studio-job.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";
import { recordingLog } from "../../support/silent.ts";
import { lost, product, tooManyRequests } from "./attempt-world.ts";

function build(complete: StudioJob["complete"]) {
  return {
    clock: createFakeClock(),
    random: () => 1,
    log: recordingLog(),
    prove: async () => undefined,
    jobDigest: "digest",
    mayHavePosted: false,
    job: partOf<StudioJob>({ complete }),
  };
}

const complete = (post: Post, signal: AbortSignal) =>
  postUntilAnswered(post, signal, () => post.job.complete(product.payload, signal));

test("a completion that is aborted because a heartbeat finds the lease gone is unconfirmed, not lost, since it may have arrived", async () => {
  const lease = new AbortController();
  const post = build((_, signal) => {
    lease.abort(lost);
    return Promise.reject(signal.reason);
  });
  expect(await complete(post, lease.signal)).toBe("unconfirmed");
});

test("a completion that Studio keeps refusing with Retry-After: 0 is posted at growing intervals", async () => {
  const postedAtMs: number[] = [];
  const post = build(async () => {
    postedAtMs.push(post.clock.now());
    if (postedAtMs.length > 200) return;
    throw tooManyRequests(0);
  });
  const delivered = complete(post, new AbortController().signal);
  await post.clock.advance(100_000);
  expect(postedAtMs).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500]);
  await post.clock.advance(10_000_000);
  expect(await delivered).toBe("accepted");
});
