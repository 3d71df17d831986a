import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import type { LocalCloud } from "../../../local/cloud/local-cloud.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { descendantsOf, isRunning } from "../../support/processes.ts";
import { call, startForTest, table, writeTemplate } from "./fixture.ts";

const schedule = (properties: object = {}) => ({
  Type: "AWS::Scheduler::Schedule",
  Properties: {
    ScheduleExpression: "rate(5 minutes)",
    Target: { Arn: { "Fn::GetAtt": ["Tick", "Arn"] }, RoleArn: { "Fn::GetAtt": ["Role", "Arn"] } },
    ...properties,
  },
});

const clientOf = ({ endpointUrl: endpoint, region, credentials }: LocalCloud) =>
  new DynamoDBClient({ endpoint, region, credentials });

it("each enabled schedule fires at the start and then at its interval", async () => {
  const clock = createFakeClock(Date.UTC(2026, 10, 20, 12));
  const watched = await startForTest(
    {
      functions: { Tick: {} },
      resources: {
        Every: schedule({
          Target: {
            Arn: { "Fn::GetAtt": ["Tick", "Arn"] },
            Input: '{"do":"echo","at":"<aws.scheduler.scheduled-time>"}',
          },
        }),
        Off: schedule({ State: "DISABLED" }),
        Cron: schedule({ ScheduleExpression: "cron(0 3 * * ? *)" }),
      },
    },
    { clock, schedules: "on" },
  );
  const fired = () => watched.events.flatMap((event) => (event.kind === "schedule" ? [event.schedule] : []));
  await watched.until(({ kind }) => kind === "end");
  await clock.advance(299_999);
  expect(fired()).toEqual(["Every"]);
  await clock.advance(1);
  await watched.until(() => watched.events.filter(({ kind }) => kind === "end").length === 2);

  expect(fired()).toEqual(["Every", "Every"]);
  expect(watched.events).toContainEqual(
    expect.objectContaining({ kind: "schedule-not-timed", schedule: "Cron" }),
  );
});

it("a process that has been idle for reapAfterMs is ended", async () => {
  const clock = createFakeClock(0);
  const watched = await startForTest({ functions: { Worker: {} } }, { clock, reapAfterMs: 1000 });
  await call(watched.cloud, "Worker", { do: "nothing" });
  const pid = watched.cloud.functions()[0]?.environments[0]?.pid ?? 0;
  await clock.advance(999);
  expect(isRunning(pid)).toBe(true);
  await clock.advance(1);

  expect(watched.events.at(-1)).toEqual({ kind: "reaped", function: "worker", pid, atMs: 1000 });
  await expect.poll(() => isRunning(pid)).toBe(false);
});

it("every process ends when the local cloud is killed, even the frozen ones", async () => {
  const templateFile = writeTemplate({ functions: { Worker: {} }, resources: { RunStore: table() } });
  const script = `
    import { startCloud } from "./local/cloud/cloud.ts";
    import { systemClock } from "./lib/core/clock.ts";
    const cloud = await startCloud({ templateFile: ${JSON.stringify(templateFile)}, clock: systemClock, secrets: {} });
    await cloud.invoke("Worker", { do: "nothing" }, { type: "RequestResponse" });
    console.log("ready");
    await cloud.invoke("Worker", { do: "nothing" }, { type: "RequestResponse" });
  `;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(parent.stdout, "data");
  const family = descendantsOf(parent.pid ?? 0);
  expect(family.length).toBeGreaterThanOrEqual(3);
  parent.kill("SIGKILL");
  await once(parent, "exit");

  await expect.poll(() => family.filter(isRunning)).toEqual([]);
});

it("tables are kept in the data folder, without expired rows", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "local-cloud-data-"));
  const fixture = { resources: { RunStore: table() } };
  const first = await startForTest(fixture, { dataDir });
  const client = clientOf(first.cloud);
  const TableName = first.cloud.tableName("RunStore");
  for (const [pk, expiresAt] of [
    ["kept", "99999999999"],
    ["over", "1000"],
    ["endless", undefined],
  ] as const) {
    const Item = { pk: { S: pk }, ...(expiresAt === undefined ? {} : { expiresAt: { N: expiresAt } }) };
    await client.send(new PutItemCommand({ TableName, Item }));
  }
  await expect(startForTest(fixture, { dataDir })).rejects.toThrow(/DynamoDB ended.*perhaps in use/);
  await first.close();

  const second = await startForTest(fixture, { dataDir });
  const rows = await clientOf(second.cloud).send(new ScanCommand({ TableName }));
  expect(rows.Items?.map(({ pk }) => pk?.S).toSorted()).toEqual(["endless", "kept"]);
  await second.close();
  const other = table({ KeySchema: [{ AttributeName: "pk", KeyType: "RANGE" }] });
  await expect(startForTest({ resources: { RunStore: other } }, { dataDir })).rejects.toThrow(
    /created for another template.*delete the folder/,
  );
  rmSync(dataDir, { recursive: true });
});
