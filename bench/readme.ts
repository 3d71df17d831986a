import type { PickupMode } from "../lib/dispatch/pickup.ts";
import { table, usd } from "./tables.ts";
import type { Performance } from "./targets.ts";

const looks: Readonly<Record<PickupMode, string>> = {
  economy: "once a minute",
  balanced: "for 50 s of each minute: every 0.25 s while there is work, slowing to every 2 s",
  fast: "for 57 s of each minute, every second",
};

const cents = (value: number): string => `$${value.toFixed(2)}`;

/** The README's tables that come from the bench, by the name of their place in it. */
const readmeTables: Readonly<Record<string, (measured: Performance) => string>> = {
  pickup: ({ pickup, cost }) =>
    table(
      ["pickup", "looks for work", "a message waits: half of them", "99 of 100", "idle, a month"],
      cost.idle.map(({ mode, computeAndRequests }) => {
        const row = pickup.find((one) => one.mode === mode && one.studioLatencyMs === 50);
        const waits = [row?.p50 ?? Number.NaN, row?.p99 ?? Number.NaN];
        return [
          `\`${mode}\``,
          looks[mode],
          ...waits.map((seconds) => `${seconds.toFixed(1)} s`),
          cents(computeAndRequests),
        ];
      }),
      2,
    ),
  cost: ({ cost }) => {
    const monthly = table(
      ["idle, a month", "compute and requests", "with Lambda's free tier", "log lines", "reading the secret"],
      cost.idle.map((row) => [
        `\`${row.mode}\``,
        ...[row.computeAndRequests, row.withFreeTier, row.logLines, row.secretCalls].map(cents),
      ]),
    );
    const whole = table(
      ["`monitoring.level`", "everything, `economy`, a month idle"],
      cost.monitoring.map(({ level, wholeIdleBill }) => [`\`${level}\``, cents(wholeIdleBill)]),
    );
    const jobs = table(
      ["seconds of inference", "1,000 jobs, without the model"],
      cost.jobs.map(({ inferenceSeconds, total }) => [`${inferenceSeconds}`, usd(total)]),
    );
    return [monthly, whole, jobs].join("\n\n");
  },
};

const placeOf = (name: string): RegExp =>
  new RegExp(`(<!-- bench: ${name} -->\n\n)[^]*?(\n\n<!-- /bench -->)`);

/** The README with the tables of this measurement. @throws Error where a table has no place in it */
export function withReadmeTables(readme: string, measured: Performance): string {
  return Object.entries(readmeTables).reduce((text, [name, render]) => {
    const place = placeOf(name);
    if (!place.test(text)) throw new Error(`the README has no place for the table ${name}`);
    return text.replace(place, (_, before: string, after: string) => `${before}${render(measured)}${after}`);
  }, readme);
}
