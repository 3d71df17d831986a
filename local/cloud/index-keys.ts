import * as z from "zod";
import { ServiceError } from "./errors.ts";
import type { TableResource } from "./resources.ts";

const writeSchema = z.object({
  TableName: z.string(),
  Item: z.record(z.string(), z.unknown()).default({}),
  UpdateExpression: z.string().default(""),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: z.record(z.string(), z.unknown()).default({}),
});

const emptySchema = z.object({ S: z.literal("") });

/**
 * Refuses an empty text for an index's key, as DynamoDB does and dynalite does not. Covers PutItem, and assignments of an
 * UpdateItem's SET clause.
 * @throws ServiceError `ValidationException`
 */
export function refuseEmptyIndexKeys(tables: readonly TableResource[], body: string): void {
  const write = writeSchema.safeParse(JSON.parse(body)).data;
  const table = tables.find(({ name }) => name === write?.TableName);
  if (!write || !table) return;
  const assigned = Array.from(
    write.UpdateExpression.matchAll(/([#\w]+)\s*=\s*(:\w+)/g),
    ([, name = "", value = ""]) =>
      [write.ExpressionAttributeNames[name] ?? name, write.ExpressionAttributeValues[value]] as const,
  );
  const keys = table.attributes.map(({ AttributeName }) => AttributeName);
  for (const [name, value] of [...Object.entries(write.Item), ...assigned]) {
    if (!keys.includes(name) || !emptySchema.safeParse(value).success) continue;
    throw new ServiceError(
      "ValidationException",
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    );
  }
}
