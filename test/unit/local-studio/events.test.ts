import { afterEach, beforeEach, expect, it } from "vitest";
import { type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

function requireBody(response: Response): ReadableStream<Uint8Array> {
  if (response.body === null) throw new Error("the stream has no body");
  return response.body;
}

/** Reads the stream until its text holds `words`. */
async function openStream() {
  const response = await fetch(`${fixture.studio.url}/api/events`);
  const reader = requireBody(response).getReader();
  const decoder = new TextDecoder();
  let text = "";
  return {
    response,
    reader,
    async until(words: string): Promise<string> {
      while (!text.includes(words)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended before: ${words}`);
        text += decoder.decode(value, { stream: true });
      }
      return text;
    },
  };
}

it("tells the page about each state as it comes", async () => {
  const stream = await openStream();
  expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
  await stream.until("retry: 1000\n\n");
  const workspaceId = fixture.studio.queueJob({ text: "Plan it" });
  const text = await stream.until('"state":"queued"');
  const data = /event: workspace\ndata: (.*)\n\n/.exec(text)?.[1] ?? "";
  expect(JSON.parse(data)).toEqual(fixture.studio.snapshot()[0]);
  await fixture.post("/leaseWorkspaceJob");
  await stream.until('"state":"leased"');
  await fixture.post("/failWorkspaceJob", { workspaceId, error: "no" });
  await stream.until('"state":"failed"');
});

it("tells the page about an expired lease though nobody asks", async () => {
  fixture.studio.queueJob({ text: "Plan it" });
  await fixture.post("/leaseWorkspaceJob");
  const seen: string[] = [];
  fixture.studio.onChange((summary) => seen.push(summary.state));
  await fixture.clock.advance(599_000);
  expect(seen).toEqual([]);
  await fixture.clock.advance(2_000);
  expect(seen).toEqual(["queued"]);
});

it("sends a comment every 15 s", async () => {
  const stream = await openStream();
  await stream.until("retry");
  await fixture.clock.advance(15_000);
  expect(await stream.until(": heartbeat\n\n")).toBe("retry: 1000\n\n: heartbeat\n\n");
});

it("ends a listener's subscription", () => {
  const seen: string[] = [];
  const end = fixture.studio.onChange((summary) => seen.push(summary.preview));
  fixture.studio.queueJob({ text: "one" });
  end();
  fixture.studio.queueJob({ text: "two" });
  expect(seen).toEqual(["one"]);
});

it("forgets a stream whose client left", async () => {
  const stream = await openStream();
  await stream.until("retry");
  expect(fixture.clock.sleeping()).toBe(2); // the reaper and the stream's heartbeat
  await stream.reader.cancel();
  await expect.poll(() => fixture.clock.sleeping()).toBe(1);
});

it("ends streams and unanswered calls at once when it closes", async () => {
  const stream = await openStream();
  await stream.until("retry");
  fixture.studio.faults.add({ fault: { kind: "never" } });
  const silent = fixture.post("/leaseWorkspaceJob").catch(() => "cut");
  await expect.poll(() => fixture.studio.faults.log().length).toBe(1);
  await fixture.studio.close();
  expect(await silent).toBe("cut");
  await expect(stream.until("never sent")).rejects.toThrow(/^(terminated|the stream ended before)/);
  expect(fixture.clock.sleeping()).toBe(0);
});
