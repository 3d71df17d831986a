import {
  DynamoDB,
  type GetItemCommandInput,
  type PutItemCommandInput,
  type QueryCommandInput,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { createTable, type Table } from "../../lib/adapters/dynamodb.ts";
import { createSdkCall } from "../../lib/sdk-call.ts";
import type { AwsConfig } from "./config.ts";

/** The ledger's table, asked as every other service: with the profile, the region and the sign-in that the SDK finds. */
export function createSdkTable(tableName: string, config: AwsConfig): Table {
  // The table repeats calls itself, within 4 s in all.
  const requestHandler = { connectionTimeout: 1_500, requestTimeout: 1_500, throwOnRequestTimeout: true };
  const client = new DynamoDB({ ...config, requestHandler, maxAttempts: 1 });
  /* oxlint-disable typescript/no-unsafe-type-assertion -- lib/adapters/dynamodb.ts gives each action its own input */
  const call = createSdkCall({
    GetItem: (input, options) => client.getItem(input as GetItemCommandInput, options),
    PutItem: (input, options) => client.putItem(input as PutItemCommandInput, options),
    UpdateItem: (input, options) => client.updateItem(input as UpdateItemCommandInput, options),
    Query: (input, options) => client.query(input as QueryCommandInput, options),
  });
  /* oxlint-enable typescript/no-unsafe-type-assertion */
  return createTable(tableName, { call });
}
