import type { Settings } from "../infra/settings.ts";
import type { TryKeyPorts } from "../lib/rotation/try-key.ts";
import type { RunnerKey } from "../lib/core/secret.ts";
import { refusedKeys } from "../lib/rotation/try-key.ts";
import { createStudio } from "../lib/studio/client.ts";
import type { Studio, StudioAdmin } from "../lib/studio/studio.ts";
import { hasCode } from "../lib/core/errors.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";

export function connectStudio(context: Context, { studio }: Settings): Studio & StudioAdmin {
  const { fetch, clock, random } = context;
  return createStudio({ baseUrl: studio.baseUrl, fetch, clock, random });
}

export function tryPorts(context: Context, settings: Settings): TryKeyPorts {
  const { clock, random } = context;
  return { studio: connectStudio(context, settings), clock, random };
}

/**
 * The ids of the keys that Studio refuses, found out without taking a job.
 * @throws CliError `check_failed` if Studio cannot be asked
 */
export async function askForRefused(
  context: Context,
  settings: Settings,
  keys: readonly RunnerKey[],
): Promise<readonly string[]> {
  try {
    return await refusedKeys(tryPorts(context, settings), keys, context.signal);
  } catch (error) {
    if (!hasCode(error, "studio_unavailable", "studio_contract")) throw error;
    throw new CliError("check_failed", `Studio did not answer: ${error.message}.`, { cause: error });
  }
}
