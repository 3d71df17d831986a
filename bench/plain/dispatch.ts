import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { parser } from "@aws-lambda-powertools/parser/middleware";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import middy from "@middy/core";
import { ulid } from "ulid";
import { z } from "zod";
import { leaseAnswerSchema } from "../../lib/studio/schemas.ts";
import { count, env, getItem, log, logger, openRuns, secret, setItem, studio } from "./parts.ts";

const lambda = new LambdaClient({});

/** Makes the same calls as an idle dispatch cycle of the runner. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(parser({ schema: z.object({ pool: z.string() }) }))
  .handler(async () => {
    const owner = ulid();
    await Promise.all([
      setItem("lock", { owner, lockedUntilMs: Date.now() + 60_000 }),
      getItem("control"),
      getItem("backoff"),
      secret(env.RUNNER_KEY_SECRET),
    ]);
    await openRuns();
    const answer = await studio("/leaseWorkspaceJob", {}, leaseAnswerSchema);
    if (answer.leased) {
      const Payload = JSON.stringify(answer);
      await lambda.send(new InvokeCommand({ FunctionName: "processor", InvocationType: "Event", Payload }));
    }
    log("cycle_ended", { owner });
    count("Cycles");
    count("GoodPolls");
    await setItem("lock", { lockedUntilMs: 0 });
    return { reason: "empty" };
  });
