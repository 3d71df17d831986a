import * as z from "zod";
import { boundedList, epochMs, idSchema } from "../core/bounded.ts";

/**
 * `{ leased: false }` or a lease (Studio API, Lease job). Unknown fields are allowed everywhere. A lease is not refused for a
 * strange `workspace` or expiry, because the job would then be blocked until the lease ends.
 */
export const leaseAnswerSchema = z.discriminatedUnion("leased", [
  z.looseObject({ leased: z.literal(false) }),
  z.looseObject({
    leased: z.literal(true),
    workspaceId: idSchema,
    leaseExpiresAt: z.unknown().optional(),
  }),
]);

export interface Lease {
  readonly workspaceId: string;
  /** Epoch ms by our clock: Studio's `leaseExpiresAt` minus `skewMs`, or assumed if that is unusable. May be in the past. */
  readonly leaseExpiresAtMs: number;
  /** Studio's clock minus ours as measured (skew.ts); 0 or absent: negligible. */
  readonly skewMs?: number;
}

/** An out-of-range value is ignored. */
const countSchema = z.int().min(0).optional().catch(undefined);

const messageSchema = z.looseObject({
  /** Undefined if it cannot be sent back. */
  id: z.string().transform((id) => idSchema.safeParse(id).data),
  role: z.literal("user"),
  text: z.string(),
  subtitle: z.string().nullish(),
  /** Undefined if it is not a valid time. */
  createdAtMs: z.unknown().optional().transform(epochMs),
});

const messagesSchema = boundedList(messageSchema, 20_000);

export const contextSchema = z.looseObject({
  workspaceId: z.string(),
  title: z.string().nullable(),
  legacyIdea: z.string().nullable(),
  messageCount: countSchema,
  recentMessages: messagesSchema,
  priorMessages: messagesSchema,
  recentText: z.string(),
  priorTextVerbatim: z.string(),
  recentTokenEstimate: countSchema,
  priorTokenEstimate: countSchema,
  priorNeedsSummarization: z.boolean(),
  storedPriorSummary: z
    .looseObject({ text: z.string(), fromMessageId: z.string(), throughMessageId: z.string() })
    .nullable(),
  storedSummaryCoversPrior: z.boolean(),
});

/** The job's context object (Studio API, Runner context). */
export type Context = z.infer<typeof contextSchema> & {
  /** As in `Lease`. */
  readonly skewMs?: number;
};

/** A 2xx extended the lease, whatever its body. */
export const heartbeatAnswerSchema = z
  .looseObject({ leaseExpiresAt: z.unknown().optional() })
  .catch({ leaseExpiresAt: undefined });

export const acceptedAnswerSchema = z.unknown();

export const createInstanceAnswerSchema = z.looseObject({
  instanceId: idSchema,
  credentialId: idSchema,
  runnerToken: z.string().min(1).max(4_096),
  kind: z.enum(["user", "global"]),
  // The name is not needed, and refusing the answer for it would lose the key, which is shown only once.
  name: z.string().nullish(),
});
