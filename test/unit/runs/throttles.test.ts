import { expect, it, onTestFinished } from "vitest";
import type { Table } from "../../../lib/adapters/dynamodb.ts";
import { createRunStoreTable } from "../../../lib/runs/table.ts";
import { anyone } from "../../support/aws.ts";
import { script, startHttpServer, type Reply } from "../../support/http-server.ts";
import { recordingMetrics } from "../../support/silent.ts";

const refusal = (type: string): Reply => ({
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "no" },
});
const found: Reply = {
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: { Item: { pool: { S: "p" }, id: { S: "x" } } },
};

async function tableAnswering(...replies: readonly Reply[]) {
  const server = await startHttpServer(script(...replies));
  onTestFinished(() => server.close());
  const metrics = recordingMetrics();
  const table: Table = createRunStoreTable({ tableName: "runs", pool: "p", metrics }, anyone(server.baseUrl));
  return { table, metrics };
}

it("each throttled call is counted, even when its retry succeeds", async () => {
  const { table, metrics } = await tableAnswering(
    refusal("ProvisionedThroughputExceededException"),
    refusal("ThrottlingException"),
    found,
  );
  expect(await table.get({ pool: "p", id: "x" })).toEqual({ pool: "p", id: "x" });
  expect(metrics.emitted).toEqual(["RunStoreThrottles{pool=p} 1", "RunStoreThrottles{pool=p} 1"]);
});

it("other refusals are not counted as throttles", async () => {
  const { table, metrics } = await tableAnswering(
    refusal("ConditionalCheckFailedException"),
    refusal("ResourceNotFoundException"),
  );
  const condition = { text: "#a = :a", values: { a: 1 } };
  expect(await table.put({ pool: "p", id: "x" }, condition)).toBe(false);
  await expect(table.get({ pool: "p", id: "x" })).rejects.toMatchObject({ code: "run_store_unavailable" });
  expect(metrics.emitted).toEqual([]);
});
