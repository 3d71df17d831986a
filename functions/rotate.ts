import middy from "@middy/core";
import { parseRotationEvent } from "../lib/rotation/rotation-event.ts";
import { runRotation, type RotationResult } from "../lib/rotation/steps.ts";
import { rotator } from "./wiring.ts";

/** A step of Secrets Manager's rotation, or the look for keys to revoke. What fails is rethrown: it is tried again. */
export const handler = middy().handler(async (event: unknown): Promise<RotationResult> => {
  const { deps, settings } = rotator();
  return runRotation(deps, settings, parseRotationEvent(event, settings.secretId));
});
