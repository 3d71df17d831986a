import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import { compileCacheOfThis } from "./compile-cache.ts";
import type { Kill } from "./faults.ts";
import type { ChildMessage, InvokeMessage } from "./messages.ts";
import { failureOf, outcomeOf, overMemory, type Failure, type Outcome, type RawOutcome } from "./outcome.ts";
import { exitOf, memoryOf, readLines } from "./process-io.ts";
import type { CloudPorts } from "./ports.ts";
import type { FunctionResource } from "./resources.ts";
import { after } from "./timers.ts";
import { signalGroup } from "./warden.ts";

/** Lambda's limit for loading a module. After it, loading counts as part of the first invocation. */
const initLimitMs = 10_000;

export interface Call {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly trace: string;
  readonly attempt: number;
  /** A fault to inject. */
  readonly kill: Kill | undefined;
}

/** How an invocation ended, with duration and memory. */
export type Ending = Outcome & { readonly durationMs: number; readonly maxMemoryMb: number | undefined };

export interface ProcessSettings {
  /** All environment variables of the process. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onLine: (line: {
    readonly requestId: string | undefined;
    stream: "stdout" | "stderr";
    line: string;
  }) => void;
}

const failureSchema = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).optional(),
});
const messageSchema: z.ZodType<ChildMessage> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("init-failed"), error: failureSchema }),
  z.object({ kind: z.literal("response"), requestId: z.string(), payload: z.string() }),
  z.object({ kind: z.literal("failed"), requestId: z.string(), error: failureSchema, fatal: z.boolean() }),
]);

const bootstrap = fileURLToPath(new URL("./bootstrap.ts", import.meta.url));

/** An operating-system process that runs one invocation at a time and is frozen in between. */
export class ExecutionEnvironment {
  readonly pid: number;
  /** Resolves when the process has exited. */
  readonly ended: Promise<void>;
  readonly #fn: FunctionResource;
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #words: Words;
  readonly #loaded: Promise<RawOutcome>;
  #requestId: string | undefined;
  /** Aborts when the present invocation ends; undefined while none runs. */
  #over: AbortSignal | undefined;
  #frozenMs = 0;
  #alive = true;
  #killed = false;

  constructor(
    fn: FunctionResource,
    { clock, warden }: Pick<CloudPorts, "clock" | "warden">,
    { variables, onLine }: ProcessSettings,
  ) {
    this.#fn = fn;
    this.#clock = clock;
    this.#child = spawnEnvironment(fn, variables);
    this.pid = this.#child.pid ?? 0;
    warden.add(this.pid);
    this.#words = listen(this.#child, clock);
    this.ended = this.#words.ended.then(() => {
      this.#alive = false;
      return warden.remove(this.pid);
    });
    for (const stream of ["stdout", "stderr"] as const) {
      const readable = this.#child[stream];
      if (readable === null) continue;
      readLines(readable, (line) => onLine({ requestId: this.#requestId, stream, line }));
    }
    this.#loaded = this.#load();
  }

  isAlive(): boolean {
    return this.#alive;
  }

  /**
   * Resolves when the function's module is loaded, with the failure if it could not be loaded. Never rejects.
   */
  async ready(requestId: string): Promise<Failure | undefined> {
    const rawOutcome = await this.#loaded;
    if (rawOutcome.kind === "ready") return undefined;
    const failure = failureOf(rawOutcome, { fn: this.#fn, requestId, killed: this.#killed });
    this.kill();
    return failure;
  }

  /** Never rejects. After any failure other than `error`, the process has exited or is about to. */
  async invoke(call: Call): Promise<Ending> {
    const clock = this.#clock;
    const { pid } = this;
    this.#requestId = call.requestId;
    const startedMs = clock.now();
    const rawOutcome = await this.#rawOutcomeOf(call);
    const goesOn = rawOutcome.kind === "response" || (rawOutcome.kind === "failed" && !rawOutcome.fatal);
    // Freezes at the answer, as Lambda does: work that was not awaited stops until the next invocation.
    if (goesOn) signalGroup(pid, "SIGSTOP");
    const circumstances = { fn: this.#fn, requestId: call.requestId, killed: this.#killed };
    const measures = { durationMs: clock.now() - startedMs, maxMemoryMb: memoryOf(pid)?.peakMb };
    if (!goesOn) this.kill();
    await new Promise((resolve) => setImmediate(resolve)); // its last lines are already in the pipe; let them be read
    return { ...outcomeOf(rawOutcome, circumstances), ...measures };
  }

  /** Freezes the process for `ms` during an invocation. `false`: no invocation is running. */
  freeze(ms: number): boolean {
    const over = this.#over;
    if (over === undefined || over.aborted || !this.#alive) return false;
    this.#frozenMs += ms;
    signalGroup(this.pid, "SIGSTOP");
    void after(this.#clock, ms, over).then(() => signalGroup(this.pid, "SIGCONT"));
    return true;
  }

  /** Sends SIGTERM, so that the function can finish. */
  terminate(): void {
    signalGroup(this.pid, "SIGTERM");
  }

  kill(): void {
    this.#killed = true;
    this.#alive = false;
    signalGroup(this.pid, "SIGKILL");
  }

  async #load(): Promise<RawOutcome> {
    const over = new AbortController();
    const limit = timeLimit(this.#clock, initLimitMs + this.#fn.timeoutMs, over.signal);
    const rawOutcome = await Promise.race([this.#words.next(), limit]);
    over.abort();
    return rawOutcome;
  }

  async #rawOutcomeOf(call: Call): Promise<RawOutcome> {
    const fn = this.#fn;
    const clock = this.#clock;
    const { pid } = this;
    const over = new AbortController();
    const { signal } = over;
    this.#over = signal;
    this.#frozenMs = 0;
    const reply = this.#words.next();
    const { kill } = call;
    const killed = kill && after(clock, kill.afterMs, signal);
    if (kill?.how === "signal") void killed?.then(() => this.kill());
    signalGroup(pid, "SIGCONT");
    this.#child.send(invokeMessage(fn, call), () => undefined); // a closed channel shows as the process's exit
    const rawOutcome = await Promise.race([
      reply,
      this.#timeout(signal),
      overMemory({ clock, pid, limitMb: fn.memoryMb, signal }),
      ...(killed && kill?.how === "memory" ? [killed.then(() => ({ kind: "memory" }) as const)] : []),
    ]);
    over.abort();
    return rawOutcome;
  }

  async #timeout(signal: AbortSignal): Promise<RawOutcome> {
    const startedMs = this.#clock.now();
    const leftMs = (): number => startedMs + this.#fn.timeoutMs + this.#frozenMs - this.#clock.now();
    while (leftMs() > 0) await after(this.#clock, leftMs(), signal);
    return { kind: "timeout" };
  }
}

async function timeLimit(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
): Promise<{ readonly kind: "timeout" }> {
  await after(clock, limitMs, signal);
  return { kind: "timeout" };
}

function spawnEnvironment(fn: FunctionResource, variables: Readonly<Record<string, string>>): ChildProcess {
  return fork(bootstrap, [fn.title, fn.arn], {
    cwd: fn.codeFolder,
    env: { ...variables, ...compileCacheOfThis() },
    execPath: process.execPath,
    execArgv: heapLimit(fn, variables),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true, // a process group of its own, so that Ctrl-C does not reach it and its children end with it
  });
}

/** Lambda's default heap limit, unless the function sets one. */
const heapLimit = (fn: FunctionResource, { NODE_OPTIONS = "" }: Readonly<Record<string, string>>) =>
  NODE_OPTIONS.includes("--max-old-space-size")
    ? []
    : [`--max-old-space-size=${Math.floor(fn.memoryMb * 0.9)}`];

const invokeMessage = (fn: FunctionResource, call: Call): InvokeMessage => ({
  kind: "invoke",
  requestId: call.requestId,
  payload: call.payload,
  timeoutMs: fn.timeoutMs,
  trace: call.trace,
});

interface Words {
  /** The next message from the process. After its exit, always the exit. */
  next(): Promise<RawOutcome>;
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
}

function listen(child: ChildProcess, clock: Clock): Words {
  const arrived: RawOutcome[] = [];
  let waiting: ((rawOutcome: RawOutcome) => void) | undefined;
  const arrive = (rawOutcome: RawOutcome): void => {
    const resolve = waiting;
    waiting = undefined;
    if (resolve === undefined) arrived.push(rawOutcome);
    else resolve(rawOutcome);
  };
  child.on("message", (message) => {
    const parsed = messageSchema.safeParse(message);
    if (parsed.success) arrive(parsed.data);
  });
  const ended = exitOf(child, clock);
  const exit = ended.then((how): RawOutcome => ({ kind: "exit", how }));
  void exit.then(arrive);
  return {
    ended,
    next() {
      const rawOutcome = arrived.shift();
      if (rawOutcome === undefined) return new Promise((resolve) => (waiting = resolve));
      return rawOutcome.kind === "exit" ? exit : Promise.resolve(rawOutcome);
    },
  };
}
