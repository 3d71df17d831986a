import { fork, type ChildProcess } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { quadratic, targets } from "./targets.ts";

/**
 * Text from outside must not block the event loop: an attempt that cannot heartbeat loses its lease. Every function that is given
 * such text gets its worst, at once and in parts (cost.ts), in a process of its own, so that one that does not end can be ended.
 */

/** For one shape, which takes hundredths of a second. Reached only by work that does not end. */
const limitMs = 60_000;

interface Told {
  /** The shape that is fed next; absent: all have been fed, or the process is ready. */
  readonly shape?: string;
  readonly error?: string;
}

interface Feeder {
  readonly process: ChildProcess;
  onTold: (told: Told) => void;
}

let running: Feeder | undefined;

async function start(): Promise<Feeder> {
  const child = fork(new URL("./feeder.ts", import.meta.url), { execArgv: [] });
  const feeder: Feeder = { process: child, onTold: () => undefined };
  child.on("message", (told: Told) => feeder.onTold(told));
  child.on("exit", (code) => feeder.onTold({ error: `the process ended with ${code}` }));
  await new Promise<void>((resolve) => {
    feeder.onTold = () => resolve();
  });
  return feeder;
}

function stop(): void {
  running?.process.kill("SIGKILL");
  running = undefined;
}

afterAll(stop);

/** The shape at which the target came to no end, with what happened; "": it ended with all of them. */
async function feed(target: string): Promise<string> {
  const feeder = (running ??= await start());
  let shape = "";
  let timer: NodeJS.Timeout | undefined;
  const outcome = await new Promise<string>((resolve) => {
    feeder.onTold = (told) => {
      clearTimeout(timer);
      if (told.error !== undefined) return resolve(`${shape}: ${told.error}`);
      if (told.shape === undefined) return resolve("");
      shape = told.shape;
      timer = setTimeout(() => resolve(`${shape}: no end within ${limitMs / 1_000} s`), limitMs);
    };
    feeder.process.send(target);
  });
  if (outcome !== "") stop();
  return outcome;
}

const patienceMs = 600_000;

describe("the worst text takes linear time", () => {
  it.each(Object.keys(targets))(
    "%s",
    async (target) => {
      expect(await feed(target)).toBe("");
    },
    patienceMs,
  );
});

describe("work that takes quadratic time is found", () => {
  it.each(Object.keys(quadratic))(
    "%s",
    async (target) => {
      expect(await feed(target)).toMatch(/: \S+ ms of CPU time at once, \S+ ms in 8 parts$/);
    },
    patienceMs,
  );
});
