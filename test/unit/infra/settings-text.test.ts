import { expect, it } from "vitest";
import { maxSettingsBytes, settingsText } from "../../../infra/monitoring/settings-text.ts";
import { parseSettings } from "../../../infra/settings.ts";

const text = (settings: unknown): string => settingsText(parseSettings(settings), JSON.stringify);

it("the settings of a few pools are written in full, including defaults", () => {
  const settings = parseSettings({ pools: [{ name: "a", kind: "global" }], logLevel: "debug" });
  expect(JSON.parse(text(settings))).toEqual(settings);
});

it("the settings of many pools are written without defaults, and parse to the same settings", () => {
  const pools = Array.from({ length: 10 }, (_, index) => ({
    name: `pool-${index}x`,
    kind: "user",
    processor: { memoryMb: 1024 + index },
  }));
  const [a, b, c, d] = ["a", "b", "c", "d"].map((letter) => letter.repeat(200));
  const tags = { a, b, c, d };
  const settings = parseSettings({ pools, monitoring: { level: "lean" }, stackName: "Big", tags });
  const written = text(settings);
  expect(JSON.stringify(settings).length).toBeGreaterThan(maxSettingsBytes);
  expect(written.length).toBeLessThan(maxSettingsBytes);
  expect(JSON.parse(written)).toEqual({ stackName: "Big", monitoring: { level: "lean" }, pools, tags });
  expect(parseSettings(JSON.parse(written))).toEqual(settings);
});
