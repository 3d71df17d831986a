import * as z from "zod";

/** The schedule names the pool. A dispatcher of another pool refuses the event. */
export const dispatchEventSchema = (servedPool: string) =>
  z.looseObject({
    pool: z.literal(servedPool, {
      error: ({ input }) =>
        `names ${typeof input === "string" ? `the pool "${input}"` : "no pool"}; this one serves "${servedPool}"`,
    }),
  });
