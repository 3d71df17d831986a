import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Credentials } from "./cloud/signature.ts";
import { parseJson } from "../lib/core/json.ts";

/** What a running `npm start` tells its user's other programs, the command line's `--local` above all. */
export interface StackFile {
  readonly stackName: string;
  readonly region: string;
  /** Where every AWS service answers. */
  readonly endpointUrl: string;
  /** What requests to it must be signed with: a secret, for as long as it runs. */
  readonly credentials: Credentials;
  /** Of `npm start` itself. */
  readonly pid: number;
  /** Absent: its own default. */
  readonly studioUrl?: string | undefined;
  readonly modelUrl?: string | undefined;
}

const nameIn = (stateDir: string): string => join(stateDir, "stack.json");

/** Whole or not at all: readers never see half of it, and none but its owner reads it. */
export async function writeStackFile(stateDir: string, file: StackFile): Promise<void> {
  const draft = `${nameIn(stateDir)}.${file.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, nameIn(stateDir));
}

const ownSchema = z.object({ pid: z.number() });

/** Leaves alone what another process has written since. */
export async function removeStackFile(stateDir: string, pid: number): Promise<void> {
  const text = await readFile(nameIn(stateDir), "utf8").catch(() => "{}");
  const own = ownSchema.safeParse(parseJson(text)).data?.pid === pid;
  if (own) await rm(nameIn(stateDir), { force: true });
}
