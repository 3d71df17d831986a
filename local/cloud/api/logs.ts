import * as z from "zod";
import { ServiceError } from "../errors.ts";
import { compileFilter } from "../logs/filter-pattern.ts";
import { linesOf, type StartedQueries } from "../logs/log-queries.ts";
import type { CloudPorts } from "../ports.ts";
import { actionOf, type Actions } from "./protocols.ts";

type LogPorts = Pick<CloudPorts, "logs"> & { readonly queries: StartedQueries };

const action = actionOf<LogPorts>("InvalidParameterException");

/** The group's name, from the name or the ARN. */
const groupOf = (identifier: string): string =>
  identifier.replace(/^arn:aws:logs:[^:]*:[^:]*:log-group:/, "").replace(/:\*$/, "");

const filterSchema = z.object({
  logGroupName: z.string().optional(),
  logGroupIdentifier: z.string().optional(),
  startTime: z.number().default(0),
  endTime: z.number().default(Number.MAX_SAFE_INTEGER),
  filterPattern: z.string().default(""),
  limit: z.number().min(1).max(10_000).default(10_000),
  nextToken: z.string().optional(),
});

const startQuerySchema = z.object({
  logGroupName: z.string().optional(),
  logGroupNames: z.array(z.string()).default([]),
  logGroupIdentifiers: z.array(z.string()).default([]),
  startTime: z.number(),
  endTime: z.number(),
  queryString: z.string(),
  limit: z.number().min(1).max(10_000).optional(),
});

/** CloudWatch Logs' JSON 1.1 actions. Times are epoch milliseconds, except in queries: epoch seconds. */
export const logsActions: Actions<LogPorts> = {
  FilterLogEvents: action({
    request: filterSchema,
    answer: (request, { logs }) => {
      const { logGroupName, logGroupIdentifier, startTime, endTime, filterPattern, limit, nextToken } =
        request;
      const group = groupOf(logGroupName ?? logGroupIdentifier ?? "");
      const fits = compileFilter(filterPattern);
      // The token is the id of the last line that was read, so lines that arrive later are on the next page.
      const from = tokenOf(nextToken);
      const lines = linesOf(logs, group, { startMs: startTime, endMs: endTime });
      const found = lines.filter(({ id, text }) => id > from && fits(text));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(({ id, atMs, stream, text }) => ({
          logStreamName: stream,
          timestamp: atMs,
          message: text,
          ingestionTime: atMs,
          eventId: String(id).padStart(20, "0"),
        })),
        searchedLogStreams: [],
        ...(found.length > limit && last !== undefined ? { nextToken: `after/${last.id}` } : {}),
      };
    },
  }),
  StartQuery: action({
    request: startQuerySchema,
    answer: (request, { queries }) => {
      const { logGroupName, logGroupNames, logGroupIdentifiers, startTime, endTime, queryString, limit } =
        request;
      const named = logGroupName === undefined ? [] : [logGroupName];
      const groups = [...named, ...logGroupNames, ...logGroupIdentifiers.map(groupOf)];
      if (groups.length === 0) throw new ServiceError("InvalidParameterException", "No log group is named.");
      const range = { startMs: startTime * 1_000, endMs: endTime * 1_000 + 999 };
      return { queryId: queries.start({ query: queryString, groups, limit, ...range }) };
    },
  }),
  GetQueryResults: action({
    request: z.object({ queryId: z.string() }),
    answer: ({ queryId }, { queries }) => {
      const { columns, rows, scanned } = queries.result(queryId);
      return {
        status: "Complete",
        queryLanguage: "CWLI",
        statistics: { recordsMatched: rows.length, recordsScanned: scanned, bytesScanned: 0 },
        results: rows.map((row) =>
          columns.flatMap((field) => {
            const value = row[field];
            return value === undefined ? [] : [{ field, value }];
          }),
        ),
      };
    },
  }),
};

function tokenOf(nextToken: string | undefined): number {
  if (nextToken === undefined) return 0;
  const id = Number(/^after\/(\d+)$/.exec(nextToken)?.[1] ?? Number.NaN);
  if (Number.isNaN(id))
    throw new ServiceError("InvalidParameterException", "The specified nextToken is invalid.");
  return id;
}
