import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A bundle without any tuning: one minified CommonJS file, with esbuild's default module resolution. */
const plainOptions = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node24",
  minify: true,
  logLevel: "error",
} as const satisfies BuildOptions;

const plainNames = ["dispatch", "process", "worker"] as const;
type PlainName = (typeof plainNames)[number];

/** The benchmark's own bundles, by name. */
export type Bundles = Readonly<Record<PlainName | "host" | "empty", string>>;

/** Builds the plain bundles, the host and an empty handler into `folder`. */
export async function buildBundles(folder: string): Promise<Bundles> {
  const fileOf = (name: string): string => join(folder, `${name}.cjs`);
  const entries = [
    ...plainNames.map((name) => ({ name, entry: source(`plain/${name}.ts`) })),
    { name: "host", entry: source("host.ts") },
  ];
  await Promise.all(
    entries.map(({ name, entry }) => build({ ...plainOptions, entryPoints: [entry], outfile: fileOf(name) })),
  );
  writeFileSync(fileOf("empty"), "exports.handler = async () => ({});\n");
  return {
    dispatch: fileOf("dispatch"),
    process: fileOf("process"),
    worker: fileOf("worker"),
    host: fileOf("host"),
    empty: fileOf("empty"),
  };
}
