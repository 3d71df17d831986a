import * as z from "zod";
import { text, title, tokenId, limits } from "./fields.ts";
import { defineTool } from "./tool.ts";

const caps = limits.list;

export const listTool = defineTool({
  name: "create_list",
  kind: "list",
  payloadKey: "lists",
  wrapper: "list",
  idField: "id",
  makes: "list",
  caps: `${caps.items} items of ${caps.itemChars} characters`,
  description: "Makes a list to read: points, or numbered steps. Use it in place of a Markdown list.",
  schema: z.strictObject({
    kind: z.literal("list"),
    id: tokenId,
    title,
    ordered: z.literal(true).exactOptional().describe("true numbers the items."),
    items: z.array(text(caps.itemChars)).min(1).max(caps.items),
  }),
});
