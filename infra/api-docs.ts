import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAst } from "vite";
import { markdownTable } from "./markdown-table.ts";
import { propGroups, renderProps, type PropGroup } from "./props-docs.ts";

/** The classes that the package exports, in the order of the page. */
const classes = [
  { name: "StudioRunner", file: "studio-runner.ts" },
  { name: "Pool", file: "pool.ts" },
  { name: "KeySecret", file: "key-secret.ts" },
] as const;

export interface Member {
  /** Its declaration in TypeScript, without a body. */
  readonly signature: string;
  readonly meaning: string;
}

/** The public members of a class that have a comment, without those that are marked as internal. */
export function membersOf(source: string, className: string): readonly Member[] {
  const { body } = parseAst(source, { lang: "ts" });
  const found = body
    .map((one) => (one.type === "ExportNamedDeclaration" ? one.declaration : undefined))
    .find((one) => one?.type === "ClassDeclaration" && one.id?.name === className);
  if (found?.type !== "ClassDeclaration") throw new TypeError(`there is no class ${className}`);
  return found.body.body.flatMap((member) => {
    const { type, start, end } = member;
    if (type !== "PropertyDefinition" && type !== "MethodDefinition") return [];
    if (member.key.type === "PrivateIdentifier") return [];
    const meaning = commentBefore(source, start);
    const inner = member.value && "body" in member.value ? member.value.body : null;
    const signature = source.slice(start, inner?.start ?? end);
    return meaning === undefined || meaning.startsWith("@internal")
      ? []
      : [{ signature: oneLine(signature.replace(/;$/, "")), meaning }];
  });
}

/** The text of the comment that ends right before the place. */
function commentBefore(source: string, place: number): string | undefined {
  const before = source.slice(0, place).trimEnd();
  if (!before.endsWith("*/")) return undefined;
  return oneLine(before.slice(before.lastIndexOf("/**") + 3, -2).replaceAll(/^\s*\* ?/gm, ""));
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s+/g, " ");

const intro = `# The construct

Written by \`npm run api-docs\` from the classes and the settings' schema.

\`\`\`ts
import { App, Stack } from "aws-cdk-lib";
import { StudioRunner } from "studio-runner";

const stack = new Stack(new App(), "Jobs");
const runner = new StudioRunner(stack, "Runner", { pools: [{ name: "default", kind: "user" }] });
runner.addOutputs(); // by which the command line finds the runner
\`\`\`

The package exports \`StudioRunner\`, the types of its parts and props, and \`MetricName\`. It needs aws-cdk-lib, constructs and Node 22.19 or newer,
and works in JavaScript (\`import\` and \`require\`) and TypeScript. The functions' code comes with it: nothing is bundled in your app.
ARNs and ids in the props may be references within the same app. Invalid props end the synthesis with one error that names each of them.`;

/** The page docs/api.md. */
export function renderApi(): string {
  const sections = classes.flatMap(({ name, file }) => {
    const source = readFileSync(new URL(file, import.meta.url), "utf8");
    const rows = membersOf(source, name).map(({ signature, meaning }) => [
      `\`${escaped(signature)}\``,
      escaped(meaning),
    ]);
    return [`## ${name}`, markdownTable([["member", "meaning"], ...rows]).join("\n")];
  });
  return `${[intro, ...sections, ...propGroups().flatMap(renderGroup)].join("\n\n")}\n`;
}

function renderGroup({ name, meaning, props }: PropGroup): readonly string[] {
  const rows = props.map((prop) => [
    `\`${prop.name}\``,
    `\`${escaped(prop.type)}\``,
    prop.default === undefined ? "required" : defaultText(prop.default),
    escaped(prop.meaning),
  ]);
  return [`## ${name}`, meaning, markdownTable([["prop", "type", "default", "meaning"], ...rows]).join("\n")];
}

const defaultText = (text: string): string => (text.startsWith("- ") ? text.slice(2) : `\`${text}\``);

const escaped = (text: string): string => text.replaceAll("|", "\\|");

function main(): void {
  writeFileSync(fileURLToPath(new URL("props.ts", import.meta.url)), renderProps());
  writeFileSync(fileURLToPath(new URL("../docs/api.md", import.meta.url)), renderApi());
}

if (import.meta.main) main();
