import * as z from "zod";
import { boundedList, epochMs, idSchema } from "../core/bounded.ts";

/**
 * `{ leased: false }` or a lease (studio-api.md, "Job routes"). Unknown extra fields are tolerated everywhere. Nothing hangs on
 * a lease's `workspace`, and a lease refused for it, or for an odd end, would keep the job from everyone for as long as it lasts.
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
  /** Epoch ms by our clock: Studio's `leaseExpiresAt` minus `skewMs`, or assumed where that says nothing usable. It may have passed. */
  readonly leaseExpiresAtMs: number;
  /** Studio's clock minus ours as measured (skew.ts); 0 or absent: none worth counting. */
  readonly skewMs?: number;
}

/** Nothing hangs on an absurd one. */
const countSchema = z.int().min(0).optional().catch(undefined);

const messageSchema = z.looseObject({
  /** Undefined where it is none that can be sent back. */
  id: z.string().transform((id) => idSchema.safeParse(id).data),
  role: z.literal("user"),
  text: z.string(),
  subtitle: z.string().nullish(),
  /** Undefined where it is no time: then nobody knows how long the message has waited. */
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

/** The job's context object (studio-api.md, "Context object"). */
export type Context = z.infer<typeof contextSchema> & {
  /** As in `Lease`. */
  readonly skewMs?: number;
};

/** Whatever it says, a 2xx has extended the lease. */
export const heartbeatAnswerSchema = z
  .looseObject({ leaseExpiresAt: z.unknown().optional() })
  .catch({ leaseExpiresAt: undefined });

export const acceptedAnswerSchema = z.unknown();

export const createInstanceAnswerSchema = z.looseObject({
  instanceId: idSchema,
  credentialId: idSchema,
  runnerToken: z.string().min(1).max(4_096),
  kind: z.enum(["user", "global"]),
  // Nothing hangs on the name, and an answer refused for it would lose the key, which is shown once.
  name: z.string().nullish(),
});
