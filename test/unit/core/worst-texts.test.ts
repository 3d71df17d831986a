import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";

interface Told {
  readonly name?: string;
  readonly broke?: string;
  readonly done?: true;
}

/** What quadratic work takes is minutes. */
const limitMs = 20_000;

test(
  "nothing that reads foreign text takes long, or breaks, over 1 MB of what is worst for it",
  { timeout: 240_000 },
  async () => {
    const worker = new Worker(resolve(import.meta.dirname, "../../support/worst-texts.ts"), { execArgv: [] });
    const broken: string[] = [];
    const { promise: end, resolve: finish, reject } = Promise.withResolvers<string>();
    let timer: NodeJS.Timeout | undefined;
    worker.once("error", reject);
    worker.on("message", ({ name, broke, done }: Told) => {
      clearTimeout(timer);
      if (done) return finish("all ended");
      if (broke !== undefined) broken.push(`${name}: ${broke}`);
      timer = setTimeout(() => finish(`${name} did not end`), limitMs);
    });
    const ended = await end.finally(() => void worker.terminate());
    expect({ ended, broken }).toEqual({ ended: "all ended", broken: [] });
  },
);
