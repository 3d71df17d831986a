import { startCli } from "./start.ts";

/** `npx studio-runner COMMAND` from the npm package: the working directory is the user's own CDK app. */
await startCli(process.cwd());
