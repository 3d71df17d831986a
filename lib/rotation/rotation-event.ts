import * as z from "zod";
import { RunnerError } from "../errors.ts";

export const rotationSteps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof rotationSteps)[number];

const stepSchema = z.looseObject({
  Step: z.enum(rotationSteps),
  SecretId: z.string().min(1),
  /** The new version's id. */
  ClientRequestToken: z.string().min(1),
});
const revokeSchema = z.strictObject({ revokeUnused: z.literal(true) });

/** What Secrets Manager calls the rotator with, or our own schedule. */
export type RotationEvent =
  | { readonly step: RotationStep; readonly versionId: string }
  | { readonly step: "revokeUnused" };

/**
 * @param secretId the one secret that this rotator rotates
 * @throws RunnerError `event_invalid` for an unknown step, shape or secret
 */
export function parseRotationEvent(event: unknown, secretId: string): RotationEvent {
  if (revokeSchema.safeParse(event).success) return { step: "revokeUnused" };
  const result = stepSchema.safeParse(event);
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "event"}: ${issue.message}`,
    );
    throw new RunnerError("event_invalid", `the rotator's event is wrong: ${problems.join("; ")}`);
  }
  const { Step, SecretId, ClientRequestToken } = result.data;
  if (SecretId !== secretId) {
    const sentence = `the rotator's event names the secret "${SecretId}"; this one rotates "${secretId}"`;
    throw new RunnerError("event_invalid", sentence);
  }
  return { step: Step, versionId: ClientRequestToken };
}
