import * as z from "zod";
import { defineCommand, type Command } from "../command.ts";
import { backoffsOf, backoffText } from "../pool-status.ts";

export const clearBackoff: Command = defineCommand({
  name: "clear-backoff",
  summary: "Ends a wait that Studio or the model asked for",
  details:
    "After a 429 the whole pool waits, for at most 3 minutes; status shows who asked and until when. " +
    "A cycle or job that is already waiting waits to the end; later ones do not.",
  examples: [{ line: "clear-backoff", shows: "shows what was cleared" }],
  input: z.object({}),
  run: async (context) => {
    const { name: pool } = await context.pool();
    const { backoff } = await context.runStore();
    const cleared = backoffsOf(await backoff.read(pool), context.clock.now());
    await backoff.clear(pool);
    const lines = cleared.map((one) => `Pool ${pool} had to wait ${backoffText(one)}: cleared.`);
    const nothing = `Nothing to clear: pool ${pool} is not waiting.`;
    return { data: { pool, cleared }, text: () => (lines.length > 0 ? lines.join("\n") : nothing) };
  },
});
