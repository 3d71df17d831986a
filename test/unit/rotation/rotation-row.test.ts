import { afterAll, beforeAll, expect, it } from "vitest";
import { createRotationRow } from "../../../lib/runs/rotation.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

let local: LocalTable;
beforeAll(async () => {
  local = await startLocalTable();
});
afterAll(() => local.close());

const instance = (id: string) => ({ instanceId: id, credentialId: `c-${id}`, createdAtMs: 1 });

it("the rotation row keeps the known instances of each pool", async () => {
  const row = createRotationRow(local.table);
  expect(await row.read("a")).toEqual([]);
  await row.change("a", (known) => [...known, { ...instance("1"), unusedSinceMs: 5 }]);
  expect(await row.read("a")).toEqual([
    { instanceId: "1", credentialId: "c-1", createdAtMs: 1, unusedSinceMs: 5 },
  ]);
  expect(await row.read("b")).toEqual([]);
});

it("the rotation row keeps all concurrent changes", async () => {
  const row = createRotationRow(local.table);
  await Promise.all(["1", "2", "3"].map((id) => row.change("c", (known) => [...known, instance(id)])));
  expect((await row.read("c")).map(({ instanceId }) => instanceId).toSorted()).toEqual(["1", "2", "3"]);
});
