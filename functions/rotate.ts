import { Logger } from "@aws-lambda-powertools/logger";
import { rotationEventSchema } from "../lib/rotation/rotation-event.ts";
import { handleRotationEvent } from "../lib/rotation/scheduled-rotation.ts";
import { wrap } from "./middleware.ts";
import { rotator } from "./container.ts";

const logger = new Logger({ serviceName: "rotator" });
const { ports, settings } = rotator(logger);

/** A step of Secrets Manager's rotation, or the search for keys to revoke. Failures are rethrown, so that they are retried. */
export const handler = wrap({
  logger,
  schema: rotationEventSchema(settings.secretId),
  handler: async (event) => handleRotationEvent(ports, settings, event),
});
