import { architecture } from "./scenarios/architecture.ts";
import { business } from "./scenarios/business.ts";
import { general } from "./scenarios/general.ts";
import { operations } from "./scenarios/operations.ts";
import type { Scenario } from "./steps.ts";

const specific: readonly Scenario[] = [business, operations, architecture];

/** The scenario with the most keywords in the text, or the general one if there are none. */
export function chooseScenario(text: string): Scenario {
  const words = new Set(text.toLowerCase().match(/[a-z]+/g));
  const scored = specific.map((scenario) => ({
    scenario,
    score: scenario.keywords.filter((keyword) => words.has(keyword)).length,
  }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  return best.score > 0 ? best.scenario : general;
}
