import { RunnerError } from "../../../lib/core/errors.ts";
import { shapes } from "./shapes.ts";
import { targets } from "./targets.ts";

/** Feeds every shape to the target that a message names, and reports each shape before it does. */
process.on("message", (name: string) => void feed(name));

async function feed(name: string): Promise<void> {
  for (const [shape, make] of shapes) {
    process.send?.({ shape });
    try {
      await targets[name]?.(make());
    } catch (error) {
      // A refusal of the text is a fine answer.
      const isRefusal = error instanceof RunnerError && error.code !== "internal";
      if (!isRefusal) process.send?.({ error: String(error).slice(0, 200) });
    }
  }
  process.send?.({});
}

process.send?.({});
