import { randomUUID } from "node:crypto";
import { AsyncQueue, type FailedEvent } from "./async-queue.ts";
import { ServiceError } from "./errors.ts";
import { createGate, type Gate } from "./gate.ts";
import type { FunctionRuntime } from "./lambda.ts";
import type { CloudPorts } from "./ports.ts";
import { nextTrace, recursionLimit } from "./trace.ts";

/** Lambda's request limits: 1 MB asynchronous, 6 MB synchronous (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const maxPayloadBytes = { Event: 1_048_576, RequestResponse: 6_291_456, DryRun: 6_291_456 } as const;

export type InvocationType = keyof typeof maxPayloadBytes;

export interface InvokeRequest {
  /** Name, ARN, partial ARN or logical id, with or without ":$LATEST". */
  readonly functionName: string;
  /** JSON text; empty means `{}`. */
  readonly payload: string;
  readonly type: InvocationType;
  /** The caller's trace header, for recursion detection. */
  readonly trace?: string | undefined;
}

export interface InvokeResult {
  readonly statusCode: 200 | 202 | 204;
  readonly requestId: string;
  readonly functionError?: "Unhandled";
  /** JSON text. */
  readonly payload?: string;
}

type LambdaPorts = Pick<
  CloudPorts,
  "clock" | "emit" | "faults" | "activity" | "queues" | "retryDelaysMs" | "closing"
>;

export interface ServedFunction {
  readonly runtime: FunctionRuntime;
  readonly queue: AsyncQueue;
  readonly gate: Gate;
}

interface AcceptedCall {
  readonly requestId: string;
  readonly payload: string;
  readonly trace: string;
}

/**
 * Lambda's Invoke: validates requests, runs the three invocation types, and sends failed events to their
 * destination.
 */
export class LambdaService {
  readonly functions: readonly ServedFunction[];
  readonly accountConcurrency: number;
  readonly #ports: LambdaPorts;

  constructor(ports: LambdaPorts, runtimes: readonly FunctionRuntime[], accountConcurrency: number) {
    this.#ports = ports;
    this.accountConcurrency = accountConcurrency;
    const account = createGate(accountConcurrency);
    this.functions = runtimes.map((runtime) => {
      const { reservedConcurrency } = runtime.resource;
      const gate = reservedConcurrency === undefined ? account : createGate(reservedConcurrency);
      const onFailed = (failed: FailedEvent): void => this.#sendToDestination(runtime, failed);
      return { runtime, gate, queue: new AsyncQueue(ports, { runtime, gate, onFailed }) };
    });
  }

  /** @throws ServiceError `ResourceNotFoundException` */
  find(functionName: string): ServedFunction {
    const name = functionName.replace(/:\$LATEST$/, "").replace(/^(.*:)?function:/, "");
    const found = this.functions.find(({ runtime: { resource } }) =>
      [resource.name, resource.logicalId].includes(name),
    );
    if (found !== undefined) return found;
    throw new ServiceError("ResourceNotFoundException", `Function not found: ${functionName}`, 404);
  }

  /** @throws ServiceError with Lambda's types and messages */
  async invoke({ functionName, payload, type, trace: incoming }: InvokeRequest): Promise<InvokeResult> {
    const { activity, closing, emit } = this.#ports;
    const target = this.find(functionName);
    checkPayload(payload, type);
    const requestId = randomUUID();
    if (type === "DryRun") return { statusCode: 204, requestId };
    if (closing.aborted) throw new ServiceError("ServiceException", "The local cloud is stopping.", 500);
    const { arn, label, mayRecurse } = target.runtime.resource;
    const trace = nextTrace(incoming, arn);
    const call = { requestId, payload: payload === "" ? "{}" : payload, trace: trace.header };
    const recursive = trace.hops > recursionLimit && !mayRecurse;
    if (recursive) emit({ kind: "recursion-stopped", function: label, requestId, hops: trace.hops });
    if (type === "Event") {
      this.#accept(target, call, recursive);
      return { statusCode: 202, requestId };
    }
    if (recursive)
      throw new ServiceError("RecursiveInvocationException", "Lambda has detected a recursive loop.");
    const leave = target.gate.tryEnter();
    if (leave === undefined) {
      emit({ kind: "throttled", function: label, requestId });
      throw new ServiceError("TooManyRequestsException", "Rate Exceeded.", 429);
    }
    return activity.track(invokeNow(target, call).finally(leave));
  }

  #accept({ runtime, queue }: ServedFunction, call: AcceptedCall, recursive: boolean): void {
    const event = { ...call, receivedMs: this.#ports.clock.now() };
    if (!recursive) void this.#ports.activity.track(queue.submit(event));
    else
      this.#sendToDestination(runtime, {
        event,
        condition: "RetriesExhausted",
        invocations: 0,
        error: undefined,
      });
  }

  #sendToDestination(runtime: FunctionRuntime, failed: FailedEvent): void {
    const { emit, clock, queues } = this.#ports;
    const { label, asyncInvoke } = runtime.resource;
    const to = asyncInvoke.onFailureArn;
    if (to === undefined) return;
    const { requestId, trace } = failed.event;
    emit({ kind: "destination", function: label, requestId, to, condition: failed.condition });
    const payload = JSON.stringify(destinationRecord(runtime, failed, clock.now()));
    const queue = queues.find(({ arn }) => arn === to);
    if (queue !== undefined) {
      queue.send(payload);
      return;
    }
    this.invoke({ functionName: to, payload, type: "Event", trace }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      emit({ kind: "destination-failed", function: label, requestId, to, reason });
    });
  }
}

async function invokeNow({ runtime }: ServedFunction, call: AcceptedCall): Promise<InvokeResult> {
  const { requestId } = call;
  const outcome = await runtime.invoke({ ...call, attempt: 1 });
  if (outcome.ok) return { statusCode: 200, requestId, payload: outcome.payload };
  return { statusCode: 200, requestId, functionError: "Unhandled", payload: JSON.stringify(outcome.error) };
}

function checkPayload(payload: string, type: InvocationType): void {
  const bytes = Buffer.byteLength(payload);
  if (bytes > maxPayloadBytes[type]) {
    const sentence = `${bytes} byte payload is too large for the ${type} invocation type (limit ${maxPayloadBytes[type]} bytes)`;
    throw new ServiceError("RequestTooLargeException", sentence, 413);
  }
  try {
    if (payload !== "") JSON.parse(payload);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceError(
      "InvalidRequestContentException",
      `Could not parse request body into json: ${reason}`,
    );
  }
}

/**
 * The record of an asynchronous invocation that failed finally:
 * docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
function destinationRecord(runtime: FunctionRuntime, failed: FailedEvent, nowMs: number): object {
  const { event, condition, invocations, error } = failed;
  const response = {
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: error,
  };
  return {
    version: "1.0",
    timestamp: new Date(nowMs).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${runtime.resource.arn}:$LATEST`,
      condition,
      approximateInvokeCount: invocations,
    },
    requestPayload: JSON.parse(event.payload) as unknown,
    ...(error === undefined ? {} : response),
  };
}
