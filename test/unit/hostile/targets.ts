import pc from "picocolors";
import { formatTable, RunReport } from "../../../local/report.ts";
import { ansiToHtml } from "../../../local/ansi.ts";
import { specialWords } from "../../../local/model/special-words.ts";
import { summarize } from "../../../local/model/summary.ts";
import { topicOf } from "../../../local/model/topic.ts";
import { describeEvent, workspaceLabel } from "../../../local/narrate.ts";
import { problemsOf } from "../../../local/studio/caps.ts";
import { bodyForPeople } from "../../../cli/dead-letters.ts";
import { toCliError } from "../../../cli/errors.ts";
import { asSentence } from "../../../lib/core/text.ts";
import { toReadableLine } from "../../../cli/log-lines.ts";
import { renderTable } from "../../../cli/table.ts";
import { createTerminal } from "../../../cli/terminal.ts";
import { versionSchema } from "../../../cli/versions.ts";
import { wrap } from "../../../cli/wrap.ts";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import {
  danglingPlaceholders,
  findPlaceholders,
  repairPrompt,
} from "../../../lib/deliverables/placeholders.ts";
import { preview } from "../../../lib/deliverables/problems.ts";
import { applyToolCall } from "../../../lib/deliverables/registry.ts";
import * as allowed from "../../../lib/deliverables/svg-allowed.ts";
import { sanitizeSvg } from "../../../lib/deliverables/svg-sanitize.ts";
import { looksScripted, quieten } from "../../../lib/deliverables/svg-scripts.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { failureError } from "../../../lib/model/provider-errors.ts";
import { parseLogLine } from "../../../cli/parse-log-line.ts";
import { sentenceOf } from "../../../cli/sentences.ts";
import { printable } from "../../../lib/core/text.ts";
import { samples } from "../deliverables/samples.ts";
import { exchanges } from "./exchanges.ts";

type Target = (text: string) => unknown;

/** The page's files are JavaScript without declarations. */
const { markPlaceholders }: { readonly markPlaceholders: Target } = await import(
  new URL("../../../local/studio/page/placeholders.js", import.meta.url).href
);

const terminal = createTerminal({
  stdout: { write: () => undefined, isTTY: true, columns: 80 },
  stderr: { write: () => undefined, isTTY: true, columns: 80 },
  env: { FORCE_COLOR: "1" },
});

/** A call of the tool with the text in one of its fields. */
const calling =
  (name: string, put: (text: string) => object): Target =>
  (text) => {
    const { wrapper, fields } = samples[name] ?? { fields: {} };
    const all = { ...fields, ...put(text) };
    return applyToolCall(emptyDraft, {
      name,
      arguments: JSON.stringify(wrapper === undefined ? all : { [wrapper]: all }),
    });
  };

const logLine = (text: string): string =>
  JSON.stringify({ level: "WARN", message: "heartbeat_failed", workspaceId: text, explanation: text });

const ignoringErrors =
  (run: Target): Target =>
  (text) => {
    try {
      return run(text);
    } catch {
      return undefined;
    }
  };

const payload = (change: object): object => ({
  workspaceId: "ws",
  assistantMessage: "x",
  ...emptyDraft,
  ...change,
});

/** As much as a drawing may have, which is what the sanitizer's own parser may be given. */
const inDrawing = (text: string): string => `<svg><rect/>${text.slice(0, 63_900)}</svg>`;

/** Every function that is given text from outside: of a model, of Studio, of AWS, of a log. */
export const targets: Readonly<Record<string, Target>> = {
  ...exchanges,

  "a tool's arguments": (text) => applyToolCall(emptyDraft, { name: "create_file", arguments: text }),
  "a tool's name": (text) => applyToolCall(emptyDraft, { name: text, arguments: "{}" }),
  "an unknown field": calling("create_list", (text) => ({ [text]: text })),
  "a file's name": calling("create_file", (name) => ({ name })),
  "a file's content": calling("create_file", (content) => ({ content })),
  "a chart's id and labels": calling("create_bar_chart", (text) => ({
    id: text,
    labels: [text],
    title: text,
  })),
  "a list's id": calling("create_list", (id) => ({ id })),
  "a drawing of any length": calling("create_svg", (content) => ({ content })),
  "a drawing at the cap": (text) => sanitizeSvg(inDrawing(text)),
  "a drawing's text": (text) => sanitizeSvg(inDrawing(`<text>${text.slice(0, 63_850)}</text>`)),
  "a drawing's attribute": (text) =>
    sanitizeSvg(inDrawing(`<rect fill="${text.replaceAll('"', "'").slice(0, 63_850)}"/>`)),
  "a drawing's style": (text) =>
    sanitizeSvg(inDrawing(`<rect style="fill:${text.replaceAll('"', "'").slice(0, 63_850)}"/>`)),
  "a drawing, unwrapped": (text) => sanitizeSvg(text.slice(0, 64_000)),
  looksScripted,
  quieten,
  "an attribute's value": (text) => [...allowed.attributes.values()].slice(-6).map((check) => check(text)),
  "a paint's value": (text) => allowed.attributes.get("fill")?.(text),
  "a style's value": allowed.isSafeStyleValue,
  "names in a drawing": (text) => [allowed.canonicalElement(text), allowed.canonicalAttribute(text)],
  findPlaceholders,
  "a message with placeholders": (text) => repairPrompt(danglingPlaceholders(text, emptyDraft), emptyDraft),
  "an assistant message": ignoringErrors((text) => toPayload(emptyDraft, text)),
  "an assistant message at the cap": ignoringErrors((text) => toPayload(emptyDraft, text)),
  preview,
  "the local Studio's rules": (text) => [
    problemsOf(payload({ assistantMessage: text })),
    problemsOf(payload({ svgs: [{ id: text, content: text }] })),
    problemsOf(payload({ svgs: [{ id: text, content: inDrawing(text) }] })),
    problemsOf(payload({ files: [{ name: text, content: text }] })),
    problemsOf(payload({ lists: [{ kind: text, id: text, items: [text] }], [text]: text })),
    problemsOf(payload({ charts: [{ kind: text }] })),
  ],
  "the local page's placeholders": markPlaceholders,

  "the offline model's topic": topicOf,
  "the offline model's special words": specialWords,
  "a refusal of Amazon Bedrock": (text) =>
    failureError({ status: 403, isJson: true, place: "Amazon Bedrock", message: text }),
  "the offline model's summary": summarize,
  "a log line": (text) => parseLogLine(text),
  "a log line's words": (text) => {
    const line = parseLogLine(logLine(text));
    return line && sentenceOf(line);
  },
  "an unknown event": (text) => sentenceOf({ level: "INFO", message: text }),
  "a log record": (text) => toReadableLine({ id: "1", atMs: 0, text }, "processor"),
  "a log record of ours": (text) => toReadableLine({ id: "1", atMs: 0, text: logLine(text) }, "processor"),
  "what npm start tells": (text) =>
    describeEvent({
      kind: "log",
      atMs: 0,
      function: "pool-local-processor",
      line: text,
      requestId: "1",
      stream: "stdout",
    }),
  "a workspace's title": (text) => workspaceLabel("ws", text),
  "the table of npm start": (text) => {
    const report = new RunReport();
    const line = JSON.stringify({
      level: "INFO",
      message: "run_ended",
      state: "failed",
      workspaceId: text,
      reason: text,
    });
    report.observe({ kind: "log", atMs: 0, function: "f", line, requestId: "1", stream: "stdout" });
    return formatTable(report.rows, (id) => id, { columns: 200, colours: pc.createColors(false) });
  },
  "terminal output as HTML": ansiToHtml,
  "an error of AWS": (text) => asSentence(toCliError(new Error(text)).message),
  "a dead letter": bodyForPeople,
  "a release's version": (text) => versionSchema.safeParse(text),
  "a table": (text) =>
    renderTable(
      [{ title: "a", shrinks: true, wraps: true }, { title: "b" }],
      [
        [text, "x"],
        ["", text],
      ],
      terminal,
    ),
  "a finding": (text) => wrap(text, { columns: 80, indent: 4 }),
  "text for a terminal": printable,
  "the terminal": (text) => {
    terminal.out(text);
    terminal.progress(text);
  },
};

/** Work that is not linear, to test the comparison itself. */
export const quadratic: Readonly<Record<string, Target>> = {
  "a pattern that tries every start": (text) => /\s+$/.test(text),
};

/** The lengths of texts that are shorter than the others': longer ones are refused unread, or take seconds. */
export const lengths: Readonly<Record<string, number>> = {
  "an assistant message at the cap": 23_900,
  "a pattern that tries every start": 16_000,
};
