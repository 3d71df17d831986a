import * as z from "zod";
import { secretLike } from "../../infra/secret-like.ts";
import type { Settings } from "../../infra/settings.ts";
import { priceNames } from "../../lib/model/prices.ts";
import { attempt, problemOf, valueOf } from "../attempt.ts";
import { defineCommand, type Command } from "../command.ts";
import { renderTable } from "../table.ts";
import type { Screen } from "../terminal.ts";

type Leaf = string | number | boolean;

interface Row {
  readonly path: string;
  /** Null: not set there. */
  readonly project: Leaf | null;
  readonly deployed: Leaf | null;
  readonly differs: boolean;
}

const input = z.object({ differences: z.boolean().default(false) });

export const config: Command = defineCommand({
  name: "config",
  summary: "Shows the settings with their defaults, in the project and as deployed",
  details:
    "Differences are marked: they take effect with the next deploy. What was set without a deploy is shown by status. " +
    "Settings hold no secrets; a text that looks like one is not shown.",
  options: [{ flags: "--differences", meaning: "show only differences" }],
  examples: [
    { line: "config", shows: "every setting" },
    { line: "config --differences", shows: "what the next deploy would change" },
  ],
  input,
  run: async (context, { differences }) => {
    const project = await context.project.settings();
    // Without a deployed stack there is nothing to compare, so that no answer is right.
    const stack = differences ? { value: await context.stack() } : await attempt(() => context.stack());
    const deployed = valueOf(stack);
    const all = compare(project, deployed?.settings);
    const rows = differences ? all.filter((row) => row.differs) : all;
    const problem = problemOf(stack) ?? null;
    const data = { deployed: deployed !== undefined, problem, settings: rows };
    const note = problem === null ? "" : `\nNothing to compare with: ${problem.message}`;
    const shown = rows.filter(isOfUse([project, deployed?.settings]));
    const more = shown.length < rows.length ? "\nPrices of other models: --json." : "";
    return { data, text: (screen) => `${render(shown, screen)}${more}${note}` };
  },
});

/** For people, hides the prices of models that are not in use, unless they differ; there are many of them. */
function isOfUse(all: readonly (Settings | undefined)[]): (row: Row) => boolean {
  const names = all.flatMap((settings) =>
    settings ? [settings.inference.model, settings.inference.summaryModel] : [],
  );
  const inUse = names.flatMap(priceNames).map((name) => `spend.prices.${name}.`);
  return ({ path, differs }) =>
    differs || !path.startsWith("spend.prices.") || inUse.some((prefix) => path.startsWith(prefix));
}

type Leaves = ReadonlyMap<string, Leaf>;

function compare(project: unknown, deployed: unknown): readonly Row[] {
  const ours = leavesOf(project);
  const theirs = deployed === undefined ? undefined : leavesOf(deployed);
  const paths = [...new Set([...ours.keys(), ...(theirs?.keys() ?? [])])];
  return paths.map((path) => ({
    path,
    project: ours.get(path) ?? null,
    deployed: theirs?.get(path) ?? null,
    differs: theirs !== undefined && ours.get(path) !== theirs.get(path),
  }));
}

/** Flattens settings: `pools[0].processor.memoryMb` → 512. Keeps their order. */
export function leavesOf(value: unknown, path = ""): Leaves {
  if (typeof value === "string") return new Map([[path, redacted(value)]]);
  if (typeof value === "number" || typeof value === "boolean") return new Map([[path, value]]);
  if (typeof value !== "object" || value === null) return new Map();
  const isList = Array.isArray(value);
  const entries = Object.entries(value).flatMap(([name, item]) => [
    ...leavesOf(item, isList ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`),
  ]);
  return new Map(entries);
}

function redacted(text: string): string {
  const what = secretLike(text);
  return what === undefined ? text : `(not shown: looks like ${what})`;
}

function render(rows: readonly Row[], screen: Screen): string {
  if (rows.length === 0) return "No differences: the deployed settings are the project's.";
  const { yellow } = screen.colours;
  const columns = [
    { title: "" },
    { title: "setting", shrinks: true, wraps: true },
    { title: "project", shrinks: true, wraps: true },
    { title: "deployed", shrinks: true, wraps: true },
  ] as const;
  const cells = rows.map(({ path, project, deployed, differs }) => [
    { text: differs ? "≠" : "", paint: yellow },
    path,
    shown(project),
    differs ? { text: shown(deployed), paint: yellow } : shown(deployed),
  ]);
  return renderTable(columns, cells, screen);
}

const shown = (value: Leaf | null): string => (value === null ? "" : String(value));
