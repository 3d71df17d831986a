/**
 * The entry point of a process that runs one handler as Lambda's runtime does, and measures it. It is bundled
 * before use, so that Node does not strip types during a measured start. Argument: the bundle. Messages: see
 * host-client.ts.
 */
import { subscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import type { HostRequest, HostReply } from "./host-messages.ts";

type Handler = (event: unknown, context: object) => Promise<unknown>;

const requests: Record<string, number> = {};

/**
 * `http.client.request.start` is from node:http, which the AWS clients use; `undici:request:create` is from
 * everything else.
 */
interface Request {
  readonly path?: string;
  getHeader?(name: string): unknown;
}

function count(request: Request): void {
  const target = request.getHeader?.("x-amz-target");
  const name =
    typeof target === "string" ? target.replace(/^.*\./, "") : (request.path ?? "").replace(/\?.*/, "");
  const kind = name.replace(/resp_\w+/, "ID").replace(/functions\/.*\//, "");
  requests[kind] = (requests[kind] ?? 0) + 1;
}

function isRequest(message: unknown): message is { readonly request: Request } {
  return typeof message === "object" && message !== null && "request" in message;
}

const [file = ""] = process.argv.slice(2);
const { handler }: { readonly handler: Handler } = createRequire(file)(file);
const readyMs = performance.now();
const log: string[] = [];

process.stdout.write = (chunk: string | Uint8Array): boolean => log.push(String(chunk)) > 0;

/** Metrics in the embedded format. Each set of dimension values is billed as a separate metric. */
function metricsIn(text: string): readonly string[] {
  const found = text.split("\n").flatMap((line) => {
    if (!line.includes('"_aws"')) return [];
    const { _aws: head, ...values } = JSON.parse(line);
    const directives: readonly Directive[] = head.CloudWatchMetrics;
    return directives.flatMap(({ Metrics, Dimensions }) =>
      Metrics.flatMap(({ Name }) =>
        Dimensions.map((set) => `${Name} ${set.map((name) => values[name]).join(" ")}`),
      ),
    );
  });
  return [...new Set(found)];
}

interface Directive {
  readonly Metrics: readonly { readonly Name: string }[];
  readonly Dimensions: readonly (readonly string[])[];
}

for (const channel of ["http.client.request.start", "undici:request:create"])
  subscribe(channel, (message) => {
    if (isRequest(message)) count(message.request);
  });

async function invoke({ event, timeoutMs }: HostRequest): Promise<HostReply> {
  const endsAtMs = Date.now() + timeoutMs;
  const context = {
    awsRequestId: crypto.randomUUID(),
    functionName: process.env["AWS_LAMBDA_FUNCTION_NAME"],
    memoryLimitInMB: process.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    getRemainingTimeInMillis: () => endsAtMs - Date.now(),
  };
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  for (const name of Object.keys(requests)) delete requests[name];
  log.length = 0;
  const outcome = await handler(event, context).then(
    (result) => ({ result }),
    (error: unknown) => ({ error: String(error) }),
  );
  const { user, system } = process.cpuUsage(cpu);
  const text = log.join("");
  return {
    ...outcome,
    readyMs,
    durationMs: performance.now() - startedMs,
    cpuMs: (user + system) / 1000,
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
    requests: { ...requests },
    lines: text.split("\n").length - 1,
    logBytes: Buffer.byteLength(text),
    metrics: metricsIn(text),
  };
}

process.on("message", (message: HostRequest) => {
  void invoke(message).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
