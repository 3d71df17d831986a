import * as z from "zod";
import type { Others } from "./fixture.ts";
import { call } from "./servers/client.ts";

/** A request that a server answered. Epoch ms. */
export interface Request {
  readonly at: number;
  readonly answeredAt: number;
}

const studioEntries = z.array(
  z.object({
    path: z.string(),
    jobId: z.number().optional(),
    at: z.number(),
    answeredAt: z.number().default(0),
  }),
);

/** The successful calls of this route of Studio, in the order of their answers. */
export async function callsOf(
  { studio }: Others,
  route: string,
  fromMs: number,
): Promise<readonly Request[]> {
  const entries = studioEntries.parse(await call("GET", `${studio.url}/_local/requests`));
  return entries
    .filter(({ path, jobId, answeredAt }) => path === route && jobId !== undefined && answeredAt >= fromMs)
    .toSorted((left, right) => left.answeredAt - right.answeredAt);
}

const modelEntries = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    at: z.number(),
    previousResponseId: z.string().nullable(),
  }),
);

/** The rounds that the model was asked for. */
export async function roundsSince({ model }: Others, fromMs: number) {
  const entries = modelEntries.parse(await call("GET", new URL("/_local/requests", model.url).href));
  return entries
    .filter(({ method, path, at }) => method === "POST" && path.endsWith("/responses") && at >= fromMs)
    .map(({ at, previousResponseId }) => ({ at, isFirst: previousResponseId === null }));
}
