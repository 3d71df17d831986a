import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Credentials } from "./cloud/signature.ts";
import { parseJson } from "../lib/core/json.ts";

/**
 * The file in which a running `npm start` tells other programs, such as the command line's `--local`, how to
 * reach it.
 */
export interface StackFile {
  readonly stackName: string;
  readonly region: string;
  /** The address of every AWS service. */
  readonly endpointUrl: string;
  /** Credentials to sign requests with. They are secret and valid while it runs. */
  readonly credentials: Credentials;
  /** The process id of `npm start`. */
  readonly pid: number;
  /** Absent: the default address. */
  readonly studioUrl?: string | undefined;
  readonly modelUrl?: string | undefined;
}

/** Written first, so that a second start in the folder finds who holds it. */
export interface StartingFile {
  readonly pid: number;
  readonly startedAtMs: number;
}

const nameIn = (stateDir: string): string => join(stateDir, "stack.json");

/** Writes the file atomically, readable by its owner only. */
export async function writeStackFile(stateDir: string, file: StackFile | StartingFile): Promise<void> {
  const draft = `${nameIn(stateDir)}.${file.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, nameIn(stateDir));
}

const ownSchema = z.object({ pid: z.number() });

/** Does nothing if another process has written the file since. */
export async function removeStackFile(stateDir: string, pid: number): Promise<void> {
  const text = await readFile(nameIn(stateDir), "utf8").catch(() => "{}");
  const own = ownSchema.safeParse(parseJson(text)).data?.pid === pid;
  if (own) await rm(nameIn(stateDir), { force: true });
}
