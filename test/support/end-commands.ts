import { afterAll } from "vitest";
import { endCommands } from "./command.ts";

/** Runs before each scenario file, since the files of a worker share the other modules. */
afterAll(endCommands);
