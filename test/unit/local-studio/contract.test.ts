import { systemClock } from "../../../lib/core/clock.ts";
import { studioContract } from "../../support/studio-contract.ts";
import { accountToken, startFixture } from "./fixture.ts";

studioContract("the local Studio", async () => {
  const { studio, userKey, close } = await startFixture({ clock: systemClock });
  const revoked = studio.createKey("user");
  studio.revokeKey(revoked.instanceId);
  return {
    baseUrl: studio.url,
    userKey,
    globalKey: studio.createKey("global").runnerToken,
    revokedKey: revoked.runnerToken,
    accountToken,
    queueJob: async (text, target) => studio.queueJob({ text, target }),
    close,
  };
});
