import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { createTable, type Table } from "../../../lib/adapters/dynamodb.ts";
import { openRunsIndex } from "../../../lib/runs/run-queries.ts";
import { anyone } from "../../support/aws.ts";
import { startHttpServer } from "../../support/http-server.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

let local: LocalTable;
beforeAll(async () => {
  local = await startLocalTable();
});
afterAll(() => local.close());

let table: Table;
let pool: string;
let serial = 0;
beforeEach(() => {
  table = createTable("runs", anyone(`http://127.0.0.1:${local.port}`));
  pool = `pool-${++serial}-${Math.random()}`;
});

it("returns an item that was put, and undefined for one that was not", async () => {
  const item = { pool, id: "a", text: "Grüße", count: 3, list: [1, "b"], nested: { yes: true }, none: null };
  expect(await table.put(item, undefined)).toBe(true);
  expect(await table.get({ pool, id: "a" })).toEqual(item);
  expect(await table.get({ pool, id: "b" })).toBeUndefined();
});

it("reports whether a write's condition held", async () => {
  const isNew = { text: "attribute_not_exists(#id)", values: {} };
  expect(await table.put({ pool, id: "a" }, isNew)).toBe(true);
  expect(await table.put({ pool, id: "a" }, isNew)).toBe(false);
  const condition = { text: "#count = :seen", values: { seen: 1 } };
  expect(await table.update({ pool, id: "a" }, { set: { count: 2 }, condition })).toBeUndefined();
});

it("sets, removes and adds in one update, and returns the updated item", async () => {
  await table.put({ pool, id: "a", old: 1, sum: 2 }, undefined);
  const update = { set: { fresh: "x", skipped: undefined }, remove: ["old"], add: { sum: 3, other: 1 } };
  const updated = { pool, id: "a", fresh: "x", sum: 5, other: 1 };
  expect(await table.update({ pool, id: "a" }, update)).toEqual(updated);
});

it("finds items by their keys, in both orders, in pages and by an index", async () => {
  for (const id of ["run#1", "run#2", "run#3", "spend#1"])
    await table.put({ pool, id, openIn: pool, leaseExpiresAtMs: id === "run#2" ? 1 : 2 }, undefined);
  const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
  const idsOf = async (query: Parameters<Table["query"]>[0]) =>
    (await table.query(query)).map(({ id }) => id);
  expect(await idsOf({ where })).toEqual(["run#1", "run#2", "run#3"]);
  expect(await idsOf({ where, newestFirst: true, limit: 2 })).toEqual(["run#3", "run#2"]);
  expect(await idsOf({ where, after: { pool, id: "run#1" } })).toEqual(["run#2", "run#3"]);
  const filter = { text: "#leaseExpiresAtMs = :ms", values: { ms: 2 } };
  expect(await idsOf({ where, filter, limit: 1 })).toEqual(["run#1"]);
  const open = { text: "#openIn = :pool", values: { pool } };
  expect((await idsOf({ index: openRunsIndex, where: open }))[0]).toBe("run#2");
});

it("distinguishes a table that does not exist from a run store that does not answer", async () => {
  const missing = createTable("nowhere", anyone(`http://127.0.0.1:${local.port}`)).get({ pool, id: "a" });
  await expect(missing).rejects.toMatchObject({ code: "run_store_unavailable", retryable: false });
  const silent = createTable("runs", anyone("http://127.0.0.1:9")).get({ pool, id: "a" });
  await expect(silent).rejects.toMatchObject({ code: "run_store_unavailable", retryable: true });
});

it("does not mistake an answer without the item for a failed condition", async () => {
  const server = await startHttpServer(() => ({
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: {},
  }));
  onTestFinished(() => server.close());
  const writing = createTable("runs", anyone(server.baseUrl)).update(
    { pool, id: "a" },
    { set: { count: 1 } },
  );
  await expect(writing).rejects.toMatchObject({ code: "run_store_unavailable", retryable: true });
});

it("rejects with the reason of the caller's abort", async () => {
  const reason = new Error("enough");
  await expect(table.get({ pool, id: "a" }, AbortSignal.abort(reason))).rejects.toBe(reason);
});
