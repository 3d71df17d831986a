import { readFileSync } from "node:fs";
import * as z from "zod";

export const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
export type Template = z.output<typeof templateSchema>;

export const readTemplate = (file: string): Template =>
  templateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
