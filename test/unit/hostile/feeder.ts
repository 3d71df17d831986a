import { RunnerError } from "../../../lib/core/errors.ts";
import { compareCosts } from "./cost.ts";
import { shapes } from "./shapes.ts";
import { lengths, quadratic, targets } from "./targets.ts";

/** Enough for quadratic work to show, and as much as a drawing may have. */
const usualLength = 64_000;

/** Feeds every shape to the target that a message names, and reports each shape before it does. */
process.on("message", (name: string) => void feed(name));

async function feed(name: string): Promise<void> {
  const target = { ...targets, ...quadratic }[name];
  const work = async (text: string): Promise<void> => {
    try {
      await target?.(text);
    } catch (error) {
      // A refusal of the text is a fine answer.
      const isRefusal = error instanceof RunnerError && error.code !== "internal";
      if (!isRefusal) process.send?.({ error: String(error).slice(0, 200) });
    }
  };
  for (const [shape, make] of shapes) {
    process.send?.({ shape });
    const error = await compareCosts(work, { make, length: lengths[name] ?? usualLength });
    if (error !== undefined) process.send?.({ error });
  }
  process.send?.({});
}

process.send?.({});
