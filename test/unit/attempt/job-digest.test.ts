import { expect, it } from "vitest";
import { jobDigest } from "../../../lib/attempt/job-digest.ts";
import { jobContext } from "./attempt-world.ts";

const message = (id: string | undefined, text: string) => ({
  id,
  role: "user" as const,
  text,
  createdAtMs: 5,
});

it("a job's digest does not depend on its title or its message count", () => {
  const recentMessages = [message("m1", "Compare teas.")];
  const first = jobDigest({ ...jobContext, recentMessages });
  expect(jobDigest({ ...jobContext, recentMessages, title: "Teas", messageCount: 7 })).toBe(first);
  expect(first).toMatch(/^[\w-]{22}$/);
});

it("a job's digest stays the same when Studio's numbers are absurd", () => {
  const message1 = message("m1", "Compare teas.");
  const first = jobDigest({ ...jobContext, recentMessages: [message1] });
  const absurd = { ...message1, createdAtMs: undefined };
  expect(jobDigest({ ...jobContext, recentMessages: [absurd], messageCount: 999 })).toBe(first);
});

it("jobs whose messages have no usable ids get digests that differ by text", () => {
  const [teas, coffees] = ["Compare teas.", "Compare coffees."].map((text) =>
    jobDigest({ ...jobContext, recentMessages: [message(undefined, text)] }),
  );
  expect(teas).not.toBe(coffees);
});

it("jobs without messages get digests that differ by idea and recent text", () => {
  const digests = [
    jobDigest({ ...jobContext, recentMessages: [], legacyIdea: "A shop" }),
    jobDigest({ ...jobContext, recentMessages: [], legacyIdea: "A farm" }),
    jobDigest({ ...jobContext, recentMessages: [], legacyIdea: "A farm", recentText: "More." }),
  ];
  expect(new Set(digests).size).toBe(3);
});
