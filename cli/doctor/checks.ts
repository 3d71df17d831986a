import { accountChecks } from "./account.ts";
import { bedrockChecks } from "./bedrock.ts";
import type { Check } from "./check.ts";
import { localChecks } from "./here.ts";
import { keyChecks } from "./keys.ts";
import { networkChecks } from "./network.ts";
import { requestChecks } from "./request.ts";
import { stackChecks } from "./stack.ts";

/** Every check, in the order of the output. To add one, add a row to one of these lists. */
export const checks: readonly Check[] = [
  ...localChecks,
  ...accountChecks,
  ...networkChecks,
  ...stackChecks,
  ...keyChecks,
  ...requestChecks,
  ...bedrockChecks,
];

/** The checks that run before a deploy. */
export const deployChecks = checks.filter(({ beforeDeploy }) => beforeDeploy);
