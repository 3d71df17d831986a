import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildOptions } from "./build-functions.ts";
import { functionNames, type FunctionName } from "./bundle.ts";
import { markdownTable } from "./markdown-table.ts";

/** Sizes in bytes, as deployed. */
export interface BundleSize {
  readonly name: FunctionName;
  readonly bytes: number;
  readonly gzippedBytes: number;
  /** Largest first. */
  readonly packages: readonly PackageSize[];
}

export interface PackageSize {
  readonly name: string;
  readonly bytes: number;
}

/** Builds the deployed form of the function in memory. */
export async function measureBundle(name: FunctionName): Promise<BundleSize> {
  const { outputFiles, metafile } = await build(buildOptions(name));
  const code = outputFiles.find(({ path }) => path.endsWith("index.js"))?.contents ?? new Uint8Array();
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of inputs) {
    const owner = packageOf(path);
    bytes.set(owner, (bytes.get(owner) ?? 0) + bytesInOutput);
  }
  const packages = [...bytes].map(([owner, size]) => ({ name: owner, bytes: size }));
  return {
    name,
    bytes: code.byteLength,
    gzippedBytes: gzipSync(code).byteLength,
    packages: packages.toSorted((a, b) => b.bytes - a.bytes || a.name.localeCompare(b.name)),
  };
}

/** The package that a bundled file belongs to: `node_modules/a/node_modules/@b/c/d.js` → `@b/c`. */
export function packageOf(path: string): string {
  const [, inner] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  return inner ?? "studio-runner";
}

const smallestRowBytes = 2000;

/** The page docs/bundle-sizes.md. */
export function renderSizes(sizes: readonly BundleSize[]): string {
  const intro = [
    "# Bundle sizes",
    "",
    "Written by `npm run bundle-sizes`. As deployed: minified but for names, without the source map; 1 kB is 1000 bytes.",
  ];
  return `${[...intro, ...sizes.flatMap(renderSize)].join("\n")}\n`;
}

function renderSize({ name, bytes, gzippedBytes, packages }: BundleSize): readonly string[] {
  const rows = packages.filter((row) => row.bytes >= smallestRowBytes);
  const rest = packages.filter((row) => row.bytes < smallestRowBytes);
  const restBytes = rest.reduce((sum, row) => sum + row.bytes, 0);
  const others = { name: `${rest.length} smaller ones`, bytes: restBytes };
  const shown = [...rows, ...(rest.length === 0 ? [] : [others])];
  return [
    "",
    `## ${name}: ${kilobytes(bytes)} (${kilobytes(gzippedBytes)} gzipped)`,
    "",
    ...markdownTable(
      [
        ["package", "size", "share"],
        ...shown.map((row) => [row.name, kilobytes(row.bytes), `${Math.round((100 * row.bytes) / bytes)} %`]),
      ],
      { numbers: [1, 2] },
    ),
  ];
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

async function main(): Promise<void> {
  const page = renderSizes(await Promise.all(functionNames.map(measureBundle)));
  writeFileSync(fileURLToPath(new URL("../docs/bundle-sizes.md", import.meta.url)), page);
  console.log(page);
}

if (import.meta.main) await main();
