import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().default("unknown"),
});

/** The licences of the packages that the bundled files come from, as those licences ask for. */
export function renderNotices(root: string, files: readonly string[]): string {
  const folders = [...new Set(files.flatMap(packageFolderOf))].toSorted();
  const sections = folders.map((folder) => renderPackage(join(root, folder)));
  const intro =
    "# Licences of other packages\n\nThe bundled files of this package contain parts of these packages.";
  return `${[intro, ...new Set(sections)].join("\n\n")}\n`;
}

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c`; none for a file of ours. */
const packageFolderOf = (file: string): readonly string[] =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.slice(0, 1) ?? [];

function renderPackage(folder: string): string {
  const { name, version, license } = manifestSchema.parse(
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  );
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  return [
    `## ${name} ${version} (${license})`,
    ...texts.map((text) => `\`\`\`\`text\n${text}\n\`\`\`\``),
  ].join("\n\n");
}
