import { execFile } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import manifest from "#package.json" with { type: "json" };

export const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** Somebody else's folder, outside the checkout, with the tarball installed. */
export interface Consumer {
  readonly folder: string;
  /** The files of the tarball. */
  readonly files: readonly string[];
  readonly packedBytes: number;
  /** Runs a program of the folder with Node in this major version; returns its standard output. */
  start(node: NodeMajor, program: string, ...args: readonly string[]): Promise<string>;
  write(name: string, text: string): void;
  remove(): void;
}

export const nodeMajors = [22, 24] as const;
export type NodeMajor = (typeof nodeMajors)[number];

/** The second Node, from an npm package like the checkout's own. */
const node22 = "22.23.3";

const packedSchema = z
  .array(z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) }))
  .length(1);

/** Packs the checkout, and installs the tarball into an empty folder. */
export async function createConsumer(): Promise<Consumer> {
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-package-"));
  const pack = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const [packed] = packedSchema.parse(JSON.parse(pack.stdout));
  const { filename = "", size = 0, files = [] } = packed ?? {};
  const { "aws-cdk": cdk, typescript, "@types/node": nodeTypes } = manifest.devDependencies;
  // aws-cdk-lib and constructs come by themselves: they are peers.
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      dependencies: { "studio-runner": `file:${filename}` },
      devDependencies: { "aws-cdk": cdk, typescript, "@types/node": nodeTypes, node: node22 },
      allowScripts: { node: true },
    }),
  );
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder });
  return {
    folder,
    files: files.map(({ path }) => path),
    packedBytes: size,
    start: async (node, program, ...args) => {
      const bin = node === 24 ? resolve(process.execPath, "..") : join(folder, "node_modules/node/bin");
      const { PATH = "", ...others } = process.env;
      const { stdout } = await run(join(bin, "node"), [programIn(folder, program), ...args], {
        cwd: folder,
        env: { ...others, PATH: [bin, PATH].join(delimiter), CDK_DISABLE_VERSION_CHECK: "1", NO_COLOR: "1" },
      });
      return stdout;
    },
    write: (name, text) => writeFileSync(join(folder, name), text),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A file of the folder, or the name of an installed command. */
function programIn(folder: string, program: string): string {
  const command = join(folder, "node_modules/.bin", program);
  return existsSync(command) ? command : join(folder, program);
}

/** The size of what is installed, of the packages that the filter lets through. */
export function installedMb(folder: string, of: (name: string) => boolean): number {
  const modules = join(folder, "node_modules");
  const bytes = readdirSync(modules)
    .filter(of)
    .reduce((sum, name) => sum + sizeOf(join(modules, name)), 0);
  return Math.round(bytes / 1e6);
}

function sizeOf(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** The template as JSON, with the command line as it is spelled in the npm package. */
export const readTemplateAsPackaged = (file: string): unknown =>
  JSON.parse(readFileSync(file, "utf8").replaceAll("npm run runner --", "npx studio-runner"));
