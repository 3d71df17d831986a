import { createHash, randomBytes } from "node:crypto";

/**
 * Lambda stops a chain that calls the same function more often than about this:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
export const recursionLimit = 16;

export interface Trace {
  /** For `_X_AMZN_TRACE_ID`. The AWS SDK sends it as `X-Amzn-Trace-Id`, which Lambda uses to count. */
  readonly header: string;
  /** Invocations of this function in the chain, including this one. */
  readonly hops: number;
}

/** The trace after one more invocation of `functionArn`. */
export function nextTrace(incoming: string | undefined, functionArn: string): Trace {
  const fields = new Map(
    (incoming ?? "").split(";").flatMap((field) => {
      const [name, value] = field.split("=");
      return name !== undefined && value !== undefined ? [[name, value]] : [];
    }),
  );
  const counts = parseLineage(fields.get("Lineage"));
  const id = createHash("sha256").update(functionArn).digest("hex").slice(0, 8);
  const hops = (counts.get(id) ?? 0) + 1;
  counts.set(id, hops);
  const root = fields.get("Root") ?? newRoot();
  const lineage = [...counts].map(([name, count]) => `${name}:${count}`).join("|");
  const parent = randomBytes(8).toString("hex");
  return { header: `Root=${root};Parent=${parent};Sampled=0;Lineage=1:${lineage}`, hops };
}

function newRoot(): string {
  const id = randomBytes(16).toString("hex");
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}

/** "1:a87bd80c:1|68fd508a:5" */
function parseLineage(text: string | undefined): Map<string, number> {
  const pairs = (text ?? "").replace(/^\d+:/, "").matchAll(/([0-9a-f]{8}):(\d+)/g);
  return new Map([...pairs].map(([, id = "", count = "0"]) => [id, Number(count)]));
}
