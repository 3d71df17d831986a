import { Logger } from "@aws-lambda-powertools/logger";
import { rotationEventSchema } from "../lib/rotation/rotation-event.ts";
import { handleRotationEvent } from "../lib/rotation/scheduled-rotation.ts";
import { wrap } from "./middleware.ts";
import { rotator } from "./container.ts";

const logger = new Logger({ serviceName: "rotator" });
const { deps, settings } = rotator(logger);

/** A step of Secrets Manager's rotation, or the look for keys to revoke. What fails is rethrown: it is tried again. */
export const handler = wrap({
  logger,
  schema: rotationEventSchema(settings.secretId),
  handler: async (event) => handleRotationEvent(deps, settings, event),
});
