import type { Clock } from "../../lib/core/clock.ts";
import { ExecutionEnvironment, type Call, type Ending } from "./environment.ts";
import type { Outcome } from "./outcome.ts";
import type { CloudPorts } from "./ports.ts";
import type { FunctionResource } from "./resources.ts";
import { after } from "./timers.ts";

type FunctionPorts = Pick<CloudPorts, "clock" | "emit" | "warden" | "faults">;

export interface FunctionSettings {
  /** Lambda's variables and the template's. Each environment adds its log stream. */
  readonly variables: Readonly<Record<string, string>>;
  /** Additional variables for the environment with this name. */
  readonly variablesOf: (environment: string) => Readonly<Record<string, string>>;
  /** A process that is idle for this long is ended. */
  readonly reapAfterMs: number;
}

export interface EnvironmentInfo {
  readonly pid: number;
  readonly state: "starting" | "running" | "frozen";
  readonly invocations: number;
}

type PlainCall = Omit<Call, "kill">;

interface Slot {
  readonly environment: ExecutionEnvironment;
  /** Unique in its cloud. */
  readonly name: string;
  readonly startedMs: number;
  state: EnvironmentInfo["state"];
  invocations: number;
  /** Aborted when the environment is used again or has ended. */
  idle: AbortController;
}

/** One function: manages its processes, each of which runs one invocation at a time. */
export class FunctionRuntime {
  readonly resource: FunctionResource;
  readonly #ports: FunctionPorts;
  readonly #settings: FunctionSettings;
  /** In order of use; the most recently used is last. */
  readonly #slots = new Set<Slot>();
  #streams = 0;
  #terminating = false;

  constructor(resource: FunctionResource, ports: FunctionPorts, settings: FunctionSettings) {
    this.resource = resource;
    this.#ports = ports;
    this.#settings = settings;
  }

  /** Never rejects. */
  async invoke(call: PlainCall): Promise<Outcome> {
    const { clock, emit, faults } = this.#ports;
    const { label } = this.resource;
    const slot = this.#takeWarm() ?? this.#start();
    const { environment, name } = slot;
    const { pid } = environment;
    const { requestId, attempt } = call;
    emit({ kind: "invoke", function: label, requestId, pid, environment: name, attempt });
    if (slot.state === "starting") {
      const failure = await environment.ready(call.requestId);
      const initMs = clock.now() - slot.startedMs;
      if (failure !== undefined) {
        return this.#report(call, pid, { ...failure, durationMs: initMs, maxMemoryMb: undefined });
      }
      emit({ kind: "cold-start", function: label, pid, initMs });
      slot.state = "running";
      if (this.#terminating) environment.terminate();
    }
    slot.invocations += 1;
    const ending = await environment.invoke({ ...call, kill: faults.takeKill(label) });
    this.#rest(slot);
    return this.#report(call, pid, ending);
  }

  environments(): readonly EnvironmentInfo[] {
    return [...this.#slots].map(({ environment, state, invocations }) => ({
      pid: environment.pid,
      state,
      invocations,
    }));
  }

  /** See `Faults.freeze`. */
  freeze(pid: number, ms: number): boolean {
    const slot = [...this.#slots].find(({ environment }) => environment.pid === pid);
    return slot !== undefined && slot.environment.freeze(ms);
  }

  /**
   * Sends SIGTERM to every busy process, and to a starting one once it has started. Ends idle processes at
   * once.
   */
  terminate(): void {
    this.#terminating = true;
    for (const { environment, state } of this.#slots) {
      if (state === "running") environment.terminate();
      else if (state === "frozen") environment.kill();
    }
  }

  /** Kills the remaining processes. Resolves when they have exited. */
  async kill(): Promise<void> {
    const all = [...this.#slots].map(({ environment }) => environment);
    for (const environment of all) environment.kill();
    await Promise.all(all.map((environment) => environment.ended));
  }

  #start(): Slot {
    const { clock, emit } = this.#ports;
    const { variables, variablesOf } = this.#settings;
    this.#streams += 1;
    const name = `${this.resource.logicalId}-${this.#streams}`;
    const environment = new ExecutionEnvironment(this.resource, this.#ports, {
      variables: {
        ...variables,
        ...variablesOf(name),
        AWS_LAMBDA_LOG_STREAM_NAME: logStream(clock, this.#streams),
      },
      onLine: (line) => emit({ kind: "log", function: this.resource.label, ...line }),
    });
    const slot: Slot = {
      environment,
      name,
      startedMs: clock.now(),
      state: "starting",
      invocations: 0,
      idle: new AbortController(),
    };
    this.#slots.add(slot);
    void environment.ended.then(() => {
      slot.idle.abort();
      return this.#slots.delete(slot);
    });
    return slot;
  }

  /** Takes the most recently used environment, so that the others can become idle long enough to end. */
  #takeWarm(): Slot | undefined {
    const slot = [...this.#slots].findLast(
      ({ state, environment }) => state === "frozen" && environment.isAlive(),
    );
    if (slot === undefined) return undefined;
    slot.idle.abort();
    slot.state = "running";
    return slot;
  }

  #rest(slot: Slot): void {
    const { clock, emit } = this.#ports;
    const { environment } = slot;
    if (!environment.isAlive()) return;
    this.#slots.delete(slot);
    this.#slots.add(slot);
    slot.state = "frozen";
    slot.idle = new AbortController();
    void after(clock, this.#settings.reapAfterMs, slot.idle.signal).then(() => {
      environment.kill();
      return emit({ kind: "reaped", function: this.resource.label, pid: environment.pid });
    });
  }

  #report({ requestId }: PlainCall, pid: number, ending: Ending): Outcome {
    const { emit } = this.#ports;
    const { durationMs, maxMemoryMb } = ending;
    const common = { function: this.resource.label, requestId, pid, durationMs, maxMemoryMb };
    if (ending.ok) {
      emit({ kind: "end", ...common });
    } else {
      const { errorType, errorMessage } = ending.error;
      emit({ kind: ending.kind, ...common, errorType, errorMessage });
    }
    return ending;
  }
}

/** "2026/11/20/[$LATEST]0001" */
function logStream(clock: Clock, number: number): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[$LATEST]${String(number).padStart(4, "0")}`;
}
