import { describe, expect, it } from "vitest";
import type { Fault } from "../../../local/studio/faults.ts";
import { startFixture, useFixture } from "./fixture.ts";

const fixture = useFixture();
const lease = () => fixture.post("/leaseWorkspaceJob");

describe("a fault", () => {
  it.each([
    ["to another route", { route: "/failWorkspaceJob" }, 200],
    ["to its route", { route: "/heartbeatWorkspaceJob" }, 500],
    ["for another workspace", { workspaceId: "ws_other" }, 200],
    ["with the random number 0.5 at its probability", { probability: 0.5 }, 200],
    ["with the random number 0.5 below its probability", { probability: 0.51 }, 500],
  ])("applies to a call %s according to %j: status %i", async (_, rule, status) => {
    const workspaceId = await fixture.leaseNew();
    fixture.studio.faults.add({ ...rule, fault: { kind: "status", status: 500 } });
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(status);
    expect((await fixture.send("/api/info")).status).toBe(200);
  });

  it.each<[Fault, string, string]>([
    [{ kind: "status", status: 503, when: "before" }, "503", "queued"],
    [{ kind: "status", status: 503, when: "after" }, "503", "leased"],
    [{ kind: "html", status: 200 }, "200", "queued"],
    [{ kind: "reset", when: "before" }, "no answer", "queued"],
    [{ kind: "reset", when: "after" }, "no answer", "leased"],
    [{ kind: "cut" }, "no answer", "leased"],
  ])("of %j gives the client of a lease call %s, and leaves the job %s", async (fault, seen, state) => {
    fixture.studio.queueJob({ text: "x" });
    fixture.studio.faults.add({ times: 1, fault });
    const answer = lease().then(
      ({ status }) => String(status),
      () => "no answer",
    );
    expect([await answer, fixture.state()]).toEqual([seen, state]);
  });
});

it.each([
  [true, [201, 200, 400, 200]],
  [false, [404, 404, 404, 404]],
])(
  "with the control option %j, other processes can queue jobs, steal leases and inject faults or not",
  async (control, statuses) => {
    const given = await startFixture({ control });
    const workspaceId = await given.leaseNew();
    const answers = [
      await given.write("POST", "/_local/jobs", { text: "x" }),
      await given.write("POST", "/_local/steal", { workspaceId }),
      await given.write("POST", "/_local/faults", { fault: { kind: "flood" } }),
      await given.send("/_local/requests"),
    ];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    await given.close();
  },
);
