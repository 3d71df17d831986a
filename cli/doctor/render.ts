import { printable, printableLines } from "../../lib/core/text.ts";
import { count } from "../format.ts";
import { pipedLine } from "../table.ts";
import { isPiped, type Screen } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { outcomes, type CheckResult, type Outcome } from "./check.ts";

const marks: Readonly<
  Record<Outcome, { readonly mark: string; readonly paint: "green" | "yellow" | "red" | "dim" }>
> = {
  ok: { mark: "✓", paint: "green" },
  warn: { mark: "!", paint: "yellow" },
  fail: { mark: "✗", paint: "red" },
  skipped: { mark: "-", paint: "dim" },
};

const indent = 4;

export function renderChecks(results: readonly CheckResult[], screen: Screen): string {
  if (isPiped(screen)) return results.map(pipedCheck).join("\n");
  const { colours } = screen;
  const pools = new Set(results.flatMap(({ pool }) => (pool === undefined ? [] : [pool])));
  const labels = results.map(({ title, pool }) =>
    printable(pool === undefined || pools.size < 2 ? title : `${title} (${pool})`),
  );
  const width = Math.max(0, ...labels.map((label) => label.length));
  const lines = results.map(({ outcome, finding, remedy }, at) => {
    const { mark, paint } = marks[outcome];
    const left = `${colours[paint](mark)} ${(labels[at] ?? "").padEnd(width)}  `;
    const text = wrap(printableLines(finding), { columns: screen.columns, indent: width + indent });
    const advice =
      remedy === undefined
        ? ""
        : `\n${" ".repeat(width + indent)}${wrap(`→ ${printable(remedy)}`, { columns: screen.columns, indent: width + indent })}`;
    return `${left}${outcome === "skipped" ? colours.dim(text) : text}${advice}`;
  });
  return [...lines, "", totals(results)].join("\n");
}

const pipedCheck = ({ outcome, title, pool = "", finding, remedy = "" }: CheckResult): string =>
  pipedLine([outcome, title, pool, finding, remedy]);

const words: Readonly<Record<Outcome, (number: number) => string>> = {
  ok: (number) => `${number} ok`,
  warn: (number) => count(number, "warning"),
  fail: (number) => `${number} failed`,
  skipped: (number) => `${number} skipped`,
};

export const countVerdicts = (results: readonly CheckResult[]): Readonly<Record<Outcome, number>> => {
  const of = (wanted: Outcome): number => results.filter(({ outcome }) => outcome === wanted).length;
  return { ok: of("ok"), warn: of("warn"), fail: of("fail"), skipped: of("skipped") };
};

function totals(results: readonly CheckResult[]): string {
  const counts = countVerdicts(results);
  return outcomes.map((outcome) => words[outcome](counts[outcome])).join(", ");
}
