import * as z from "zod";

/** The schedule names the pool; a dispatcher that serves another one must not run. */
export const dispatchEventSchema = (servedPool: string) =>
  z.looseObject({
    pool: z.literal(servedPool, {
      error: ({ input }) =>
        `names ${typeof input === "string" ? `the pool "${input}"` : "no pool"}; this one serves "${servedPool}"`,
    }),
  });
