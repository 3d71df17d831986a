import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { between, pick, type Random } from "./random.ts";

/** What can go wrong with one call of an AWS service. */
export type ServiceFault = { readonly name: string; readonly weight: number } & (
  | { readonly kind: "answer"; readonly status: number; readonly type: string }
  | { readonly kind: "reset"; readonly when: "before" | "after" }
  | { readonly kind: "slow"; readonly ms: readonly [low: number, high: number] }
);

/** A proxy before an AWS endpoint of the local cloud that lets a share of the calls go wrong. */
export interface FaultyProxy {
  readonly url: string;
  /** Where calls go on to. */
  pointTo(target: string): void;
  /** The first faults are one of each kind, so that none is left to the dice alone. */
  setRate(rate: number): void;
  /** From now on every call fails with this; `undefined`: as the rate says. */
  setOutage(fault: ServiceFault | undefined): void;
  /** How often each fault struck, by name. */
  fired(): ReadonlyMap<string, number>;
  calls(): number;
  /** Told of every call that the service has taken. */
  onTaken(listener: (call: TakenCall) => void): void;
  close(): Promise<void>;
}

export interface TakenCall {
  readonly body: string;
  readonly answer: IncomingHttpHeaders;
}

/** As long as a kind of fault has not struck, each so manieth call meets the next one. */
const plannedEvery = 5;

interface State {
  target: string;
  rate: number;
  outage: ServiceFault | undefined;
  calls: number;
  readonly fired: Map<string, number>;
}

export async function startProxy(faults: readonly ServiceFault[], random: Random): Promise<FaultyProxy> {
  const agent = new Agent({ keepAlive: true });
  const state: State = { target: "", rate: 0, outage: undefined, calls: 0, fired: new Map() };
  const listeners: ((call: TakenCall) => void)[] = [];
  const owed = [...faults];
  const byRate = (): ServiceFault | undefined => {
    if (state.rate > 0 && owed.length > 0 && state.calls % plannedEvery === 0) return owed.shift();
    return random() < state.rate ? pick(random, faults) : undefined;
  };
  const draw = (): ServiceFault | undefined => {
    state.calls += 1;
    const fault = state.outage ?? byRate();
    if (fault) state.fired.set(fault.name, (state.fired.get(fault.name) ?? 0) + 1);
    return fault;
  };
  const server = createServer((incoming, response) => {
    serve({ incoming, response, fault: draw() }).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;

  async function serve({ incoming, response, fault }: Call): Promise<void> {
    const body = await buffer(incoming);
    if (fault?.kind === "answer") return sendFault(response, fault);
    if (fault?.kind === "reset" && fault.when === "before") return void incoming.socket.resetAndDestroy();
    if (fault?.kind === "slow") await pause(between(random, ...fault.ms));
    const answer = await forward(agent, `${state.target}${incoming.url}`, { incoming, body });
    for (const tell of listeners) tell({ body: body.toString(), answer: answer.headers });
    if (fault?.kind === "reset") return void incoming.socket.resetAndDestroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pointTo: (target) => void (state.target = target),
    setRate: (rate) => void (state.rate = rate),
    setOutage: (fault) => void (state.outage = fault),
    fired: () => state.fired,
    calls: () => state.calls,
    onTaken: (listener) => void listeners.push(listener),
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Call {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: ServiceFault | undefined;
}

/** Both of AWS's error shapes: a header for REST-JSON services, a field for JSON 1.x. */
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

function forward(
  agent: Agent,
  url: string,
  { incoming, body }: { readonly incoming: IncomingMessage; readonly body: Buffer },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, headers } = incoming;
    const outgoing = httpRequest(url, { agent, method: method ?? "POST", headers }, (answer) => {
      buffer(answer).then(
        (bytes) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: bytes }),
        reject,
      );
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
