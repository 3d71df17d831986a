import * as z from "zod";
import type { TakenCall } from "./proxy.ts";

/** A state of a run's row that the run store accepted. */
export interface RowWrite {
  /** Epoch ms. */
  readonly atMs: number;
  /** The process that wrote it. */
  readonly caller: string | undefined;
  /** Whether the process received the answer. */
  readonly isAnswered: boolean;
  readonly isNew: boolean;
  readonly runId: string;
  readonly workspaceId: string;
  readonly attempt: number;
  readonly state: string;
  readonly delivering: boolean;
  /** The id of the newest response that is recorded. */
  readonly responseId: string | undefined;
}

const text = z.object({ S: z.string() });
const rowSchema = z.object({
  runId: text,
  workspaceId: text,
  attempt: z.object({ N: z.coerce.number() }),
  state: text,
  delivering: z.object({ BOOL: z.boolean() }).optional(),
  responseIds: z.object({ L: z.array(text) }).optional(),
  summaryResponseId: text.optional(),
});
const putSchema = z.object({ Item: rowSchema });
const transactionSchema = z.object({ TransactItems: z.array(z.object({ Put: putSchema.optional() })) });
const updatedSchema = z.object({ Attributes: rowSchema });

/** Reads the traffic to DynamoDB: the rows that are put, and those that updates return. */
export function watchRows() {
  const writes: RowWrite[] = [];
  const listeners: ((write: RowWrite) => void)[] = [];
  return {
    observe(call: TakenCall) {
      if (call.answer.status !== 200 || !call.body.includes("run#")) return;
      for (const { row, isNew } of rowsOf(call)) {
        const write = {
          atMs: call.at,
          caller: call.caller,
          isAnswered: call.isAnswered,
          isNew,
          runId: row.runId.S,
          workspaceId: row.workspaceId.S,
          attempt: row.attempt.N,
          state: row.state.S,
          delivering: row.delivering?.BOOL ?? false,
          responseId: row.responseIds?.L.at(-1)?.S ?? row.summaryResponseId?.S,
        };
        writes.push(write);
        for (const tell of listeners) tell(write);
      }
    },
    writes: (): readonly RowWrite[] => writes,
    onWrite: (listener: (write: RowWrite) => void) => void listeners.push(listener),
  };
}

interface Found {
  readonly row: z.output<typeof rowSchema>;
  readonly isNew: boolean;
}

function rowsOf({ target, body, answer }: TakenCall): readonly Found[] {
  const action = target.split(".").at(-1);
  if (action === "UpdateItem") {
    const { data } = updatedSchema.safeParse(JSON.parse(answer.body.toString()));
    return data ? [{ row: data.Attributes, isNew: false }] : [];
  }
  const puts =
    action === "TransactWriteItems"
      ? (transactionSchema.safeParse(JSON.parse(body)).data?.TransactItems ?? []).map(({ Put }) => Put)
      : [putSchema.safeParse(JSON.parse(body)).data];
  return puts.flatMap((put) => (put ? [{ row: put.Item, isNew: true }] : []));
}
