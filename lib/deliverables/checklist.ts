import * as z from "zod";
import { text, title, token, tokenId, limits } from "./fields.ts";
import { preview } from "./problems.ts";
import { defineTool, foldId } from "./tool.ts";
import type { ChecklistDeliverable } from "./draft.ts";

const caps = limits.checklist;

const item = z.strictObject({
  id: token(caps.itemIdChars).describe("Letters, digits, _ and -; unique in this checklist."),
  label: text(caps.labelChars).describe("What is to be done."),
  checked: z.boolean().describe("Whether it is done already."),
});

export const checklistTool = defineTool({
  name: "create_checklist",
  kind: "checklist",
  payloadKey: "checklists",
  wrapper: "checklist",
  idField: "id",
  makes: "checklist",
  caps: `${caps.items} items, labels of ${caps.labelChars} characters, unique item ids of ${caps.itemIdChars} characters`,
  description: "Makes a checklist whose items the user can tick.",
  schema: z
    .strictObject({
      kind: z.literal("checklist"),
      id: tokenId,
      title,
      items: z.array(item).min(1).max(caps.items),
    })
    .superRefine(uniqueItems),
});

function uniqueItems({ items }: Pick<ChecklistDeliverable, "items">, context: z.RefinementCtx): void {
  const seen = new Set<string>();
  items.forEach(({ id }, index) => {
    if (seen.has(foldId(id))) {
      const message = `${preview(id)} is taken by another item; ids differ in more than case`;
      context.addIssue({ code: "custom", path: ["items", index, "id"], message });
    }
    seen.add(foldId(id));
  });
}
