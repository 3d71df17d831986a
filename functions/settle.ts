import middy from "@middy/core";
import type { Recovery } from "../lib/job/recover.ts";
import { parseLegFailure, settle } from "../lib/job/settle.ts";
import { settler } from "./wiring.ts";

/** The on-failure destination of the processor's invocations. Its own failures go to a dead-letter queue. */
export const handler = middy().handler((record: unknown): Promise<Recovery> =>
  settle(settler(), parseLegFailure(record)),
);
