import type { ToolCall, ToolDefinition } from "../model/model.ts";
import { checklistTool } from "./checklist.ts";
import { fileTool } from "./file.ts";
import { strictParameters } from "./json-schema.ts";
import { listTool } from "./list.ts";
import { pieChartTool } from "./pie-chart.ts";
import { joinProblems, preview } from "./problems.ts";
import { readArguments } from "./read-arguments.ts";
import { scatterChartTool } from "./scatter-chart.ts";
import { seriesChartTools } from "./series-chart.ts";
import { svgTool } from "./svg.ts";
import { tableTool } from "./table.ts";
import { placeholderFor } from "./tool.ts";
import type { PayloadKey, Tool } from "./tool.ts";
import type { Draft } from "./draft.ts";

/** Every tool. To add a kind of deliverable, add a file, a line here, and its shape in draft.ts. */
export const tools: readonly Tool[] = [
  fileTool,
  pieChartTool,
  ...seriesChartTools,
  scatterChartTool,
  tableTool,
  listTool,
  checklistTool,
  svgTool,
];

/** The kinds that placeholders may name, with the payload key that holds each. */
export const payloadKeyByKind: ReadonlyMap<string, PayloadKey> = new Map(
  tools.map((tool) => [tool.kind, tool.payloadKey]),
);

/**
 * The tools as the model receives them. Built when the function is loaded, when it has full CPU
 * (docs/decisions/0020).
 */
export const toolDefinitions: readonly ToolDefinition[] = tools.map((tool) => ({
  name: tool.name,
  description: `${tool.description} Show it in your message with ${placeholderFor(tool.kind, tool.idField.toUpperCase())}.`,
  parameters: strictParameters(tool),
}));

export interface ToolResult {
  readonly draft: Draft;
  /** Compact JSON for the model. */
  readonly output: string;
  readonly ok: boolean;
}

/**
 * Applies one call of the model to the draft. A model's mistake never throws: the draft is returned
 * unchanged, with an answer that names the field, the given value and what is allowed.
 */
export function applyToolCall(draft: Draft, call: Pick<ToolCall, "name" | "arguments">): ToolResult {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) {
    const names = tools.map(({ name }) => name).join(", ");
    return refusal(draft, `there is no tool ${preview(call.name)}; the tools are ${names}`);
  }
  const read = readArguments(tool, call.arguments);
  if (!read.ok) return refusal(draft, `${tool.name}: ${read.problem}`);
  const applied = tool.apply(draft, read.fields);
  if (!applied.ok) return refusal(draft, `${tool.name}: ${joinProblems(applied.problems)}`);
  const { id, notes } = applied;
  const reminder = `Show it in your message with ${placeholderFor(tool.kind, id)}`;
  const output = JSON.stringify({
    ok: true,
    id,
    reminder,
    ...(notes.length === 0 ? {} : { changed: notes }),
  });
  return { draft: applied.draft, output, ok: true };
}

function refusal(draft: Draft, error: string): ToolResult {
  return { draft, output: JSON.stringify({ ok: false, error }), ok: false };
}
