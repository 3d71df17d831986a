import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import middy from "@middy/core";
import { ulid } from "ulid";
import { env, getItem, openRuns, secret, setItem, studio, tell } from "./parts.ts";

const lambda = new LambdaClient({});

/** The same calls as an idle dispatch window of the runner. */
export const handler = middy().handler(async () => {
  const owner = ulid();
  await Promise.all([
    setItem("lock", { owner, lockedUntilMs: Date.now() + 60_000 }),
    getItem("control"),
    secret(env.RUNNER_KEY_SECRET),
  ]);
  await Promise.all([openRuns(), getItem("backoff")]);
  await openRuns();
  const answer = await studio("/leaseWorkspaceJob", {});
  if (answer["leased"] === true) {
    const Payload = JSON.stringify(answer);
    await lambda.send(new InvokeCommand({ FunctionName: "processor", InvocationType: "Event", Payload }));
  }
  tell("Windows", { owner });
  await setItem("lock", { lockedUntilMs: 0 });
  return { reason: "empty" };
});
