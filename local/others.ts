import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { RunnerError } from "../lib/core/errors.ts";
import { parseJson } from "../lib/core/json.ts";

/** Other runs of `npm start` on this machine. */

const fileSchema = z.object({
  pid: z.int().positive(),
  startedAtMs: z.number().optional(),
  endpointUrl: z.string().optional(),
  studioUrl: z.string().optional(),
});

export interface OtherPorts {
  readonly pid: number;
  readonly nowMs: number;
  readonly isAlive: (pid: number) => boolean;
  /** Whether a server answers at this address. */
  readonly answers: (url: string) => Promise<boolean>;
}

/** Longer than any build takes. */
const longestStartMs = 600_000;

/**
 * @throws RunnerError `config_invalid` if another process holds the folder: names it, its page and the flags
 */
export async function refuseHeldFolder(stateDir: string, ports: OtherPorts): Promise<void> {
  const text = await readFile(join(stateDir, "stack.json"), "utf8").catch(() => "");
  const file = fileSchema.safeParse(parseJson(text)).data;
  if (file === undefined || file.pid === ports.pid || !ports.isAlive(file.pid)) return;
  const { startedAtMs = 0, endpointUrl } = file;
  // After a crash, another program may have the process id.
  const isHeld =
    endpointUrl === undefined ? ports.nowMs - startedAtMs < longestStartMs : await ports.answers(endpointUrl);
  if (!isHeld) return;
  const page = file.studioUrl === undefined ? "still starting" : `at ${file.studioUrl}`;
  throw new RunnerError(
    "config_invalid",
    `another npm start uses the folder ${stateDir}: process ${file.pid}, ${page}. Stop it, or start this one with --state-dir FOLDER and --port NUMBER`,
  );
}

const takenSchema = z.object({ code: z.literal("EADDRINUSE") });
const infoSchema = z.object({ model: z.object({ name: z.string() }), leaseMs: z.number() });

/** The error for a taken port says so if another `npm start` has it. Other errors are returned unchanged. */
export async function nameHolder(
  error: unknown,
  port: number,
  ask: (url: string) => Promise<unknown>,
): Promise<unknown> {
  if (!(error instanceof RunnerError) || !takenSchema.safeParse(error.cause).success) return error;
  const url = `http://127.0.0.1:${port}`;
  const info = infoSchema.safeParse(await ask(`${url}/api/info`));
  const who = info.success ? `by another npm start, at ${url}` : "by another program";
  return new RunnerError(
    "config_invalid",
    `port ${port} is already in use ${who}. Choose another one with --port, such as --port ${port === 65_535 ? 4_400 : port + 1}`,
  );
}

const probeMs = 2_000;

export const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(probeMs) }).then(
    () => true,
    () => false,
  );

/** `undefined`: there is no such answer. */
export async function readJson(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(probeMs) });
    return await answer.json();
  } catch {
    return undefined;
  }
}
