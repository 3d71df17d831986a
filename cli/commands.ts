import type { Command } from "./command.ts";
import { cancel } from "./commands/cancel.ts";
import { checkUpdate } from "./commands/check-update.ts";
import { clearBackoff } from "./commands/clear-backoff.ts";
import { createCompletion } from "./commands/completion.ts";
import { config } from "./commands/config.ts";
import { cost } from "./commands/cost.ts";
import { deploy } from "./commands/deploy.ts";
import { destroy } from "./commands/destroy.ts";
import { doctor } from "./commands/doctor.ts";
import { drain } from "./commands/drain.ts";
import { explain } from "./commands/explain.ts";
import { init } from "./commands/init.ts";
import { jobs } from "./commands/jobs.ts";
import { logs } from "./commands/logs.ts";
import { pause, resume } from "./commands/pause.ts";
import { redrive } from "./commands/redrive.ts";
import { rotate } from "./commands/rotate.ts";
import { secretsSet } from "./commands/secrets-set.ts";
import { setCap } from "./commands/set-cap.ts";
import { setConcurrency } from "./commands/set-concurrency.ts";
import { status } from "./commands/status.ts";

/** To add a command, add a file and a line here. */
const table: readonly Command[] = [
  init,
  doctor,
  status,
  jobs,
  explain,
  logs,
  cancel,
  pause,
  resume,
  drain,
  setConcurrency,
  setCap,
  clearBackoff,
  secretsSet,
  rotate,
  redrive,
  config,
  cost,
  checkUpdate,
  deploy,
  destroy,
];

/** Every command, in the order of the help and of docs/cli.md. */
export const commands: readonly Command[] = [...table, createCompletion(table)];
