import type { RunnerError } from "../../../lib/core/errors.ts";
import type { Model } from "../../../lib/model/model.ts";
import type { earlierContext } from "../../../lib/agent/summary.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import type { SummaryUpdate } from "../../../lib/studio/studio.ts";

const prior = (id: string) => ({ id, role: "user" as const, text: "Tell me.", createdAtMs: 1 });

export const context = (overrides: Partial<Context> = {}): Context => ({
  workspaceId: "w1",
  title: "Teas",
  legacyIdea: null,
  messageCount: 4,
  recentMessages: [],
  priorMessages: [prior("m1"), prior("m2"), prior("m3")],
  recentText: "Compare two.",
  priorTextVerbatim: "",
  recentTokenEstimate: 10,
  priorTokenEstimate: 10,
  priorNeedsSummarization: false,
  storedPriorSummary: null,
  storedSummaryCoversPrior: false,
  ...overrides,
});

type SummaryPorts = Parameters<typeof earlierContext>[0];

/** Ports that record what is saved and what fails. */
export function summaryPorts(model: Model, saveSummary?: SummaryPorts["saveSummary"]) {
  const saved: SummaryUpdate[] = [];
  const failures: (readonly [string, RunnerError])[] = [];
  const ports: SummaryPorts = {
    model,
    summaryModel: "gpt-6-luna-mini",
    saveSummary: saveSummary ?? (async (update) => void saved.push(update)),
    onFailure: (step, error) => void failures.push([step, error]),
  };
  return { ports, saved, failures };
}
