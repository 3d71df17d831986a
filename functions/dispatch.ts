import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { parseDispatchEvent } from "../lib/dispatch/dispatch-event.ts";
import { runWindow, type WindowSummary } from "../lib/dispatch/window.ts";
import { dispatcher } from "./wiring.ts";

/** Once a minute per pool: one dispatch window. What it cannot handle it rethrows, so that the function's alarm fires. */
export const handler = middy().handler(async (event: unknown, context: Context): Promise<WindowSummary> => {
  const { deps, settings, stop } = dispatcher();
  parseDispatchEvent(event, settings.pool);
  return runWindow(deps, settings, { remainingMs: context.getRemainingTimeInMillis(), stop });
});
