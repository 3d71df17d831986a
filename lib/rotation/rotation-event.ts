import * as z from "zod";
import { problemOf } from "../core/json.ts";

export const rotationSteps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** The event that Secrets Manager or the stack's schedule sends to the rotator. */
export type RotationEvent =
  | { readonly step: RotationStep; readonly versionId: string }
  | { readonly step: "revokeUnused" };

/** @param secretId the one secret that this rotator rotates */
export function rotationEventSchema(secretId: string) {
  const stepSchema = z
    .looseObject({
      Step: z.enum(rotationSteps),
      SecretId: z.literal(secretId, {
        error: ({ input }) => `names ${JSON.stringify(input)}; this one rotates "${secretId}"`,
      }),
      /** The id of the new version. */
      ClientRequestToken: z.string().min(1),
    })
    .transform(({ Step, ClientRequestToken }): RotationEvent => ({
      step: Step,
      versionId: ClientRequestToken,
    }));
  const revokeSchema = z
    .strictObject({ revokeUnused: z.literal(true) })
    .transform((): RotationEvent => ({ step: "revokeUnused" }));
  return z.union([revokeSchema, stepSchema], {
    // Anything that is not the schedule's event is treated as a step.
    error: ({ code, errors }) =>
      code === "invalid_union" ? errors[1]?.map((issue) => problemOf(issue, "event")).join("; ") : undefined,
  });
}
