import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { CliError } from "./errors.ts";
import { parseJson } from "../lib/core/json.ts";

const schema = z.object({
  stackName: z.string(),
  region: z.string(),
  endpointUrl: z.url(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  pid: z.int().positive(),
});

/** The stack that `npm start` runs on this machine. */
export type LocalStackFile = Readonly<z.output<typeof schema>>;

const remedy = "Start it with npm start in another terminal, or name its folder with --state-dir.";

/**
 * Reads what a running `npm start` has written to its state folder.
 * @throws CliError `not_running`
 */
export async function readLocalStack(
  stateDir: string,
  isAlive: (pid: number) => boolean,
): Promise<LocalStackFile> {
  const text = await readFile(join(stateDir, "stack.json"), "utf8").catch(() => undefined);
  const file = text === undefined ? undefined : schema.safeParse(parseJson(text)).data;
  if (file && isAlive(file.pid)) return file;
  throw new CliError("not_running", `No local stack runs in ${stateDir}.`, { remedy });
}
