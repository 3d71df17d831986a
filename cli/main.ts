#!/usr/bin/env node
import { resolve } from "node:path";
import { startCli } from "./start.ts";

/** `npm run runner -- COMMAND` in a checkout, which is itself the CDK app that the commands are about. */
await startCli(resolve(import.meta.dirname, ".."));
