import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alarmRows } from "../../../infra/monitoring/alarms.ts";
import { parseSettings } from "../../../infra/settings.ts";

const runbook = readFileSync(join(import.meta.dirname, "../../../docs/runbook.md"), "utf8");
const [, ...sections] = runbook.split(/^## /m);
const entries = new Map(sections.map((section) => [section.slice(0, section.indexOf("\n")), section]));

const settings = parseSettings({ pools: [{ name: "default", kind: "user", dailyCapUsd: 20 }] });
const pool = settings.pools[0]!;

describe("the runbook", () => {
  it("has an entry for Page and each alarm, in the order of the alarms, and no other", () => {
    expect([...entries.keys()]).toEqual(["Page", ...alarmRows.map(({ id }) => id)]);
  });

  it.each(alarmRows.map((row) => [row.id, row] as const))(
    "has the meaning, threshold and command of the alarm %s",
    (id, row) => {
      const entry = entries.get(id) ?? "";
      expect(entry).toContain(`**Means:** ${row.means}`);
      expect(entry).toContain(`**Fires** ${row.limit({ settings, pool }).when}`);
      expect(entry).toContain(`\`npm run runner -- ${row.command}\``);
    },
  );

  it.each(alarmRows.map(({ id }) => id))("has every section in its entry for %s", (id) => {
    const labels = (entries.get(id) ?? "").matchAll(/^\*\*(Means|Fires|Likely causes|Look at|Do|Clears)\b/gm);
    expect([...labels].map(([, label]) => label).join(", ")).toBe(
      "Means, Fires, Likely causes, Look at, Do, Clears",
    );
  });

  it("names the alarms that page, and the alarms of the level lean", () => {
    const paging = alarmRows.filter(({ pages }) => pages).map(({ id }) => id);
    expect(runbook).toContain(`one of ${paging.join(", ")} is on`);
    const lean = alarmRows.filter((row) => row.lean).map(({ id }) => id);
    expect(runbook).toContain(`${lean.join(", ")}, each by itself`);
  });
});
