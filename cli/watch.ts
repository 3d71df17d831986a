import type { Outcome } from "./command.ts";
import type { Context } from "./context.ts";
import type { ExitName } from "./errors.ts";
import { isoTime } from "./format.ts";
import { createRepeatedRead } from "./repeated-read.ts";
import { pipedLine } from "./table.ts";
import { isPiped } from "./terminal.ts";

/** How long the connections and the stack's outputs are used: a deploy changes outputs, and a restart the local stack's address. */
const renewAfterMs = 60_000;

/**
 * Shows what `look` returns again and again until Ctrl-C: in place on a terminal, in a pipe whenever it has changed, and with
 * `--json` as one document per line. Ends with the exit code of the last look. Only the first look may fail.
 */
export async function watch(
  context: Context,
  everyMs: number,
  look: (context: Context) => Promise<Outcome>,
): Promise<Outcome> {
  const { clock, signal, terminal } = context;
  const tryLook = createRepeatedRead(context, "read the status");
  let shown = await look(context);
  let exit: ExitName = shown.exit ?? "ok";
  let note = "";
  let present = context;
  let connectedAtMs = clock.now();
  let before = "";
  while (!signal.aborted) {
    before = show(context, { outcome: shown, note, before });
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) break;
    if (note !== "" || clock.now() - connectedAtMs >= renewAfterMs) {
      present = context.fresh();
      connectedAtMs = clock.now();
    }
    const using = present;
    const result = await tryLook(() => look(using)).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (result === undefined) break;
    if ("value" in result) shown = result.value;
    note = "value" in result ? "" : result.report;
    exit = "value" in result ? (result.value.exit ?? "ok") : result.error.exit;
  }
  terminal.settled();
  return { data: undefined, text: undefined, exit };
}

interface Frame {
  readonly outcome: Outcome;
  /** A failure of the last look. */
  readonly note: string;
  /** The text that was printed before. */
  readonly before: string;
}

/** Returns what a later frame is compared with. */
function show({ clock, terminal, options }: Context, { outcome, note, before }: Frame): string {
  if (options.json) {
    if (note === "") terminal.out(JSON.stringify(outcome.data));
    return "";
  }
  const text = outcome.text?.(terminal) ?? "";
  if (!isPiped(terminal)) {
    terminal.redraw(note === "" ? text : `${text}\n\n${terminal.colours.red("!")} ${note}`);
  } else if (text !== before) terminal.out(`${pipedLine(["time", isoTime(clock.now())])}\n${text}`);
  return text;
}
