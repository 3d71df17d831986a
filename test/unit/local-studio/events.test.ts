import { expect, it } from "vitest";
import { useFixture } from "./fixture.ts";

const fixture = useFixture();

/** Reads the stream until its text holds `words`. */
async function openStream() {
  const response = await fetch(`${fixture.studio.url}/api/events`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  async function until(words: string): Promise<string> {
    while (!text.includes(words)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`the stream ended before: ${words}`);
      text += value;
    }
    return text;
  }
  await until("retry: 1000\n\n");
  return { reader, until };
}

it("the event stream sends each change of state, and a comment every 15 s", async () => {
  const stream = await openStream();
  const workspaceId = fixture.studio.queueJob({ text: "Plan it" });
  const text = await stream.until('"state":"queued"');
  const data = /event: workspace\ndata: (.*)\n\n/.exec(text)?.[1] ?? "";
  expect(JSON.parse(data)).toEqual(fixture.studio.snapshot()[0]);
  await fixture.lease();
  await stream.until('"state":"leased"');
  await fixture.fail(workspaceId);
  await stream.until('"state":"failed"');
  await fixture.clock.advance(15_000);
  await stream.until(": heartbeat\n\n");
});

it("onChange reports an expired lease without a request, until the listener unsubscribes", async () => {
  await fixture.leaseNew();
  const seen: string[] = [];
  const end = fixture.studio.onChange((summary) => seen.push(summary.state));
  await fixture.clock.advance(599_000);
  expect(seen).toEqual([]);
  await fixture.clock.advance(2_000);
  expect(seen).toEqual(["queued"]);
  end();
  await fixture.lease();
  expect(seen).toEqual(["queued"]);
});

it("the heartbeat of an event stream ends when its client disconnects", async () => {
  const stream = await openStream();
  expect(fixture.clock.sleeping()).toBe(2); // the reaper and the stream's heartbeat
  await stream.reader.cancel();
  await expect.poll(() => fixture.clock.sleeping()).toBe(1);
});

it("close ends streams and unanswered calls at once", async () => {
  const stream = await openStream();
  fixture.studio.faults.add({ fault: { kind: "never" } });
  const silent = fixture.post("/leaseWorkspaceJob").catch(() => "cut");
  await expect.poll(() => fixture.studio.faults.log().length).toBe(1);
  await fixture.studio.close();
  expect(await silent).toBe("cut");
  await expect(stream.until("never sent")).rejects.toThrow(/^(terminated|the stream ended before)/);
  expect(fixture.clock.sleeping()).toBe(0);
});
