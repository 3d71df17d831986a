import dynalite from "dynalite";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, type Table } from "../../lib/adapters/dynamodb.ts";
import { anyone } from "./aws.ts";
import { openRunsIndex } from "../../lib/runs/run-queries.ts";

export interface LocalTable {
  readonly table: Table;
  readonly port: number;
  close(): Promise<void>;
}

/** A separate run store table in dynalite, with the keys of infra/run-store-table.ts. */
export async function startLocalTable(): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  const config = anyone(`http://127.0.0.1:${port}`);
  const client = new DynamoDBClient(config);
  await client.send(
    new CreateTableCommand({
      TableName: "runs",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pool", AttributeType: "S" },
        { AttributeName: "id", AttributeType: "S" },
        { AttributeName: "openIn", AttributeType: "S" },
        { AttributeName: "leaseExpiresAtMs", AttributeType: "N" },
      ],
      KeySchema: [
        { AttributeName: "pool", KeyType: "HASH" },
        { AttributeName: "id", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: openRunsIndex,
          KeySchema: [
            { AttributeName: "openIn", KeyType: "HASH" },
            { AttributeName: "leaseExpiresAtMs", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  client.destroy();
  return {
    table: createTable("runs", config),
    port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
