import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";

/** @throws CliError `usage` for the local stack, which npm start manages itself */
export function refuseLocal({ options }: Context, command: string): void {
  if (!options.local) return;
  throw new CliError(
    "usage",
    `${command} is not for the local stack: npm start builds and deploys it by itself.`,
    {
      remedy: "Leave --local out, or start it with npm start.",
    },
  );
}
