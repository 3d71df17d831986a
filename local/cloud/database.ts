import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withTimeLimit } from "../../lib/core/clock.ts";
import { compileCacheOfThis } from "./compile-cache.ts";
import { CloudError } from "./errors.ts";
import { exitOf, readLines } from "./process-io.ts";
import { createTables, type TablesOptions } from "./tables.ts";
import { after } from "./timers.ts";
import { signalGroup, type Warden } from "./warden.ts";

const startLimitMs = 20_000;
const lastWordsMs = 1_000;
const closeLimitMs = 3_000;

export interface DatabaseOptions extends TablesOptions {
  readonly warden: Warden;
  readonly accountId: string;
  /** Called when the process ends unexpectedly. */
  readonly onEnded: (how: string) => void;
}

export interface Database {
  /** Connects to the database, which is reachable in no other way. */
  readonly agent: Agent;
  close(): Promise<void>;
}

const main = fileURLToPath(new URL("./database-process.ts", import.meta.url));

interface DatabaseProcess {
  readonly agent: Agent;
  readonly listening: Promise<unknown>;
  /** Rejects when the process ends, with its last output. */
  readonly broken: Promise<never>;
  readonly close: () => Promise<void>;
}

/**
 * Runs DynamoDB as dynalite in a process of its own, with the template's tables. dynalite accepts any
 * signature, so it listens on a socket in a folder that only this user may enter.
 * @throws CloudError if the data folder cannot be used
 */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { clock, onEnded } = options;
  const { agent, listening, broken, close } = spawnDatabase(options);
  const limit = { clock, limitMs: startLimitMs, what: "the start of the local DynamoDB" };
  let closing = false;
  try {
    await withTimeLimit(limit, async () => {
      await Promise.race([listening, broken]);
      await createTables(agent, options).catch(async (error: unknown) => {
        await Promise.race([broken, clock.sleep(lastWordsMs)]); // its output says more than a broken connection
        throw error;
      });
    });
    broken.catch((error: unknown) => {
      if (!closing) onEnded(String(error));
    });
    return {
      agent,
      close() {
        closing = true;
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function spawnDatabase({ clock, warden, region, accountId, folder = "" }: DatabaseOptions): DatabaseProcess {
  if (folder !== "") mkdirSync(folder, { recursive: true, mode: 0o700 });
  const socketFolder = mkdtempSync(join(tmpdir(), "studio-runner-"));
  const forgetSocket = (): void => rmSync(socketFolder, { recursive: true, force: true });
  process.once("exit", forgetSocket);
  const socketPath = join(socketFolder, "dynamodb.sock");
  const connection = { keepAlive: true, socketPath };
  const agent = new Agent(connection);
  const child = fork(main, [socketPath, folder], {
    env: { ...compileCacheOfThis(), AWS_REGION: region, AWS_ACCOUNT_ID: accountId, PATH: "/usr/bin:/bin" },
    execPath: process.execPath,
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true,
  });
  const pid = child.pid ?? 0;
  warden.add(pid);
  const complaints: string[] = [];
  if (child.stderr !== null) readLines(child.stderr, (line) => void complaints.push(line));
  const ended = exitOf(child, clock);
  const broken = ended.then((how): never => {
    warden.remove(pid);
    agent.destroy();
    process.off("exit", forgetSocket);
    forgetSocket();
    const where = folder === "" ? "" : `, data folder ${folder}, perhaps in use by another run`;
    throw new CloudError(`the local DynamoDB ended (${how}${where}): ${complaints.join(" ")}`);
  });
  broken.catch(() => undefined); // prevents an unhandled rejection at a planned end
  return {
    agent,
    listening: once(child, "message"),
    broken,
    async close() {
      signalGroup(pid, "SIGTERM");
      const over = new AbortController();
      void after(clock, closeLimitMs, over.signal).then(() => signalGroup(pid, "SIGKILL"));
      await ended;
      over.abort();
    },
  };
}
