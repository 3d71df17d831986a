import { shapes } from "./shapes.ts";
import { targets } from "./targets.ts";

/** Feeds every shape to the target that it is told of, and tells of each before it does. */
process.on("message", (name: string) => {
  for (const [shape, make] of shapes) {
    process.send?.({ shape });
    targets[name]?.(make());
  }
  process.send?.({});
});
process.send?.({});
