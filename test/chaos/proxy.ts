import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { Agent, request } from "undici";
import { between, pick, type Random } from "./random.ts";

/** A fault of one call to an AWS service. */
export type ServiceFault = { readonly name: string; readonly weight: number } & (
  | { readonly kind: "answer"; readonly status: number; readonly type: string }
  | { readonly kind: "reset"; readonly when: "before" | "after" }
  | { readonly kind: "slow"; readonly ms: readonly [low: number, high: number] }
  /** No answer until the caller gives up. */
  | { readonly kind: "silent" }
);

export interface ProxyCall {
  readonly caller: string | undefined;
  readonly at: number;
}

export interface TakenCall extends ProxyCall {
  /** The call's `X-Amz-Target`. */
  readonly target: string;
  readonly body: string;
  readonly answer: Answer;
  /** Whether the caller gets the answer. */
  readonly isAnswered: boolean;
}

/** Until each kind of fault has been applied, every call with this interval gets the next one. */
const plannedEvery = 5;

interface State {
  target: string;
  rate: number;
  outage: ServiceFault | undefined;
  readonly calls: ProxyCall[];
  readonly cut: Map<string, ServiceFault | undefined>;
  readonly fired: Map<string, number>;
}

/** A proxy in front of an AWS endpoint of the local cloud that makes a share of the calls fail. */
export async function startProxy(faults: readonly ServiceFault[], random: Random) {
  const agent = new Agent();
  const state: State = {
    target: "",
    rate: 0,
    outage: undefined,
    calls: [],
    cut: new Map(),
    fired: new Map(),
  };
  const listeners: ((call: TakenCall) => void)[] = [];
  const owed = [...faults];
  const byRate = (): ServiceFault | undefined => {
    if (state.rate > 0 && owed.length > 0 && state.calls.length % plannedEvery === 0) return owed.shift();
    return random() < state.rate ? pick(random, faults) : undefined;
  };
  const draw = (caller: string | undefined): ServiceFault | undefined => {
    state.calls.push({ caller, at: Date.now() });
    const fault = state.outage ?? state.cut.get(caller ?? "") ?? byRate();
    if (fault) state.fired.set(fault.name, (state.fired.get(fault.name) ?? 0) + 1);
    return fault;
  };
  const server = createServer((incoming, response) => {
    const { "x-amz-security-token": token } = incoming.headers;
    const caller = typeof token === "string" ? token : undefined;
    serve({ incoming, response, caller, fault: draw(caller) }).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;

  async function serve({ incoming, response, caller, fault }: Call): Promise<void> {
    const body = await buffer(incoming);
    if (fault?.kind === "silent") return;
    if (fault?.kind === "answer") return sendFault(response, fault);
    if (fault?.kind === "reset" && fault.when === "before") return void incoming.socket.resetAndDestroy();
    if (fault?.kind === "slow") await pause(between(random, ...fault.ms));
    const answer = await forward(agent, `${state.target}${incoming.url}`, { incoming, body });
    const target = String(incoming.headers["x-amz-target"]);
    const isAnswered = fault?.kind !== "reset";
    const call = { caller, at: Date.now(), target, body: body.toString(), answer, isAnswered };
    for (const tell of listeners) tell(call);
    if (!isAnswered) return void incoming.socket.resetAndDestroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Sets where calls are forwarded to. */
    pointTo: (target: string) => void (state.target = target),
    /**
     * Sets the share of failing calls. The first faults are one of each kind, so that none is left to chance.
     */
    setRate: (rate: number) => void (state.rate = rate),
    /** Makes every call fail with this from now on; `undefined`: back to the rate. */
    setOutage: (fault: ServiceFault | undefined) => void (state.outage = fault),
    /** The same for the calls of one process, which its session token identifies. */
    cutOff: (caller: string, fault: ServiceFault | undefined) => void state.cut.set(caller, fault),
    /** How often each fault was applied, by name. */
    fired: (): ReadonlyMap<string, number> => state.fired,
    /** The callers and times (epoch ms) of all calls. */
    calls: (): readonly ProxyCall[] => state.calls,
    /** Calls the listener for every call that the service has accepted, before its caller gets the answer. */
    onTaken: (listener: (call: TakenCall) => void) => void listeners.push(listener),
    close: async () => {
      await agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type FaultyProxy = Awaited<ReturnType<typeof startProxy>>;

interface Call {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: string | undefined;
  readonly fault: ServiceFault | undefined;
}

/** In both of AWS's error formats: a header for REST-JSON services, a field for JSON 1.x. */
function sendFault(
  response: ServerResponse,
  { status, type }: Extract<ServiceFault, { kind: "answer" }>,
): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "x-amzn-errortype": type });
  response.end(JSON.stringify({ __type: type, message: "injected", Message: "injected" }));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function forward(
  agent: Agent,
  url: string,
  { incoming, body }: { readonly incoming: IncomingMessage; readonly body: Buffer },
): Promise<Answer> {
  const { connection: _, ...headers } = incoming.headers;
  const answer = await request(url, { dispatcher: agent, method: "POST", headers, body });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.bytes()) };
}
