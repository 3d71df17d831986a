import { expect, test } from "vitest";
import { watchRows } from "../../chaos/row-history.ts";

const row = {
  id: { S: "run#r1" },
  runId: { S: "r1" },
  workspaceId: { S: "ws_1" },
  attempt: { N: "2" },
  state: { S: "running" },
};
const written = (action: string, body: object, answer: object, status = 200) => {
  const history = watchRows();
  history.observe({
    caller: "p1",
    at: 5,
    target: `DynamoDB_20120810.${action}`,
    body: JSON.stringify({ Key: { id: { S: "run#r1" } }, ...body }),
    answer: { status, headers: {}, body: Buffer.from(JSON.stringify(answer)) },
    isAnswered: true,
  });
  return history.writes();
};
const common = {
  atMs: 5,
  caller: "p1",
  isAnswered: true,
  runId: "r1",
  workspaceId: "ws_1",
  attempt: 2,
  state: "running",
};

test("a row that is put is new, alone and in a transaction", () => {
  const put = [{ ...common, isNew: true, delivering: false }];
  expect(written("PutItem", { Item: row }, {})).toEqual(put);
  const TransactItems = [{ Update: { Key: {} } }, { Put: { Item: row } }];
  expect(written("TransactWriteItems", { TransactItems }, {})).toEqual(put);
});

test("an update is read from the row that it gives back", () => {
  const Attributes = { ...row, delivering: { BOOL: true } };
  expect(written("UpdateItem", {}, { Attributes })).toEqual([{ ...common, isNew: false, delivering: true }]);
});

test("what was refused, read, or is no run's row is no write", () => {
  expect(written("UpdateItem", {}, { __type: "ConditionalCheckFailedException" }, 400)).toEqual([]);
  expect(written("GetItem", {}, { Item: row })).toEqual([]);
  expect(written("PutItem", { Item: { id: { S: "workspace#1" }, runId: { S: "r1" } } }, {})).toEqual([]);
});
