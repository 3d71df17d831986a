import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
  type FilterLogEventsCommandOutput,
} from "@aws-sdk/client-cloudwatch-logs";
import type { LogQuery, LogRecord, Logs } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createLogs(config: AwsConfig): Logs {
  const client = new CloudWatchLogsClient(config);
  return { records: (query) => readAll(client, query) };
}

async function readAll(client: CloudWatchLogsClient, query: LogQuery): Promise<readonly LogRecord[]> {
  const { group, startMs, endMs, pattern, signal } = query;
  const records: LogRecord[] = [];
  let nextToken: string | undefined;
  do {
    const command = new FilterLogEventsCommand({
      logGroupName: group,
      startTime: Math.max(0, Math.floor(startMs)),
      endTime: endMs && Math.ceil(endMs),
      filterPattern: pattern,
      nextToken,
    });
    const page: FilterLogEventsCommandOutput | undefined = await client
      .send(command, signal === undefined ? {} : { abortSignal: signal })
      .catch((error: unknown) => {
        // Where AWS creates the log group, a function that has never run has none yet.
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
    for (const { eventId = "", timestamp = 0, message = "" } of page?.events ?? [])
      records.push({ id: eventId, atMs: timestamp, text: message.trimEnd() });
    nextToken = page?.nextToken;
  } while (nextToken !== undefined);
  return records.toSorted((a, b) => a.atMs - b.atMs);
}
