import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/errors.ts";
import { deliver } from "../../../lib/job/delivery.ts";
import type { StudioJob } from "../../../lib/job/studio-job.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog } from "../../support/silent.ts";
import { product } from "./leg-world.ts";

const lost = new RunnerError("lease_lost", "the lease is gone: 409", { status: 409 });

function build(complete: StudioJob["complete"]) {
  const deps = {
    clock: createFakeClock(),
    random: () => 1,
    log: recordingLog(),
    prove: async () => undefined,
    jobDigest: "digest",
    mayHavePosted: false,
    job: { complete } as unknown as StudioJob,
  };
  return deps;
}

test("a completion that is cut off when a beat finds the lease gone may have arrived: it is unconfirmed, not lost", async () => {
  const lease = new AbortController();
  const deps = build((_, signal) => {
    lease.abort(lost);
    return Promise.reject(signal.reason);
  });
  expect(await deliver(deps, product.payload, lease.signal)).toBe("unconfirmed");
});

test("a completion that Studio itself answers with a lost lease did not arrive", async () => {
  const deps = build(() => Promise.reject(lost));
  await expect(deliver(deps, product.payload, new AbortController().signal)).rejects.toBe(lost);
});
