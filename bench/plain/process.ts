import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { parser } from "@aws-lambda-powertools/parser/middleware";
import { LambdaClient } from "@aws-sdk/client-lambda";
import middy from "@middy/core";
import { z } from "zod";
import { runOne } from "./job.ts";
import { count, getItem, log, logger, setItem } from "./parts.ts";

const eventSchema = z.object({ pool: z.string(), runId: z.string(), attempt: z.number() });
const rowSchema = z.object({ workspaceId: z.string() });

export const lambda = new LambdaClient({});

/** Makes the same calls as an attempt of the runner with one round. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(parser({ schema: eventSchema }))
  .handler(async ({ runId }) => {
    const id = `run#${runId}`;
    const row = await setItem(id, { state: "running", beganAtMs: Date.now() });
    const { workspaceId } = rowSchema.parse(row);
    log("attempt_started", { runId, workspaceId });
    count("LeaseLeftPercent", 100);
    await runOne(workspaceId, {
      beforeRound: () => getItem("backoff"),
      onRound: (responseId) => setItem(id, { lastResponseId: responseId }),
      beforePost: () => setItem(id, { delivering: true, heartbeatAtMs: Date.now() }),
    });
    await setItem(id, { state: "completed", endedAtMs: Date.now() });
    await setItem("spend", { runs: 1 });
    return { state: "completed" };
  });
