import * as z from "zod";
import { defineCommand, type Command } from "../command.ts";
import { backoffsOf, backoffText } from "../pool-status.ts";

export const clearBackoff: Command = defineCommand({
  name: "clear-backoff",
  summary: "Lease and ask again though Studio or the model asked to wait",
  details:
    "After a 429 the whole pool holds back, for 3 minutes at most; status shows who asked and until when. " +
    "A cycle or a job that is waiting already waits to the end; whatever comes after it does not.",
  examples: [{ line: "clear-backoff", shows: "tells what it has cleared" }],
  input: z.object({}),
  run: async (context) => {
    const { name: pool } = await context.pool();
    const { backoff } = await context.runStore();
    const cleared = backoffsOf(await backoff.read(pool), context.clock.now());
    await backoff.clear(pool);
    const lines = cleared.map((one) => `Pool ${pool} held back ${backoffText(one)}: cleared.`);
    const nothing = `Nothing to clear: pool ${pool} does not hold back.`;
    return { data: { pool, cleared }, text: () => (lines.length > 0 ? lines.join("\n") : nothing) };
  },
});
