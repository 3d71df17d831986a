import { tableAsOf } from "../../infra/dated-table.ts";
import { commandLine } from "../../infra/command-line.ts";
import { ownInstructions } from "../../infra/own-instructions.ts";
import { bedrockOf, priceListFor, type Settings } from "../../infra/settings.ts";
import { pollingTimes } from "../../lib/dispatch/polling.ts";
import { timing } from "../../lib/core/timing.ts";
import { attempt, valueOf } from "../attempt.ts";
import { count, formatDuration } from "../format.ts";
import { shutdownOf, type Shutdown } from "../model-dates.ts";
import { isOpenAi } from "../model.ts";
import { compareVersions } from "../versions.ts";
import type { Check, Facts, Finding } from "./check.ts";

const dayMs = 86_400_000;
/** Older prices and dates get a warning. */
const pricesFreshMs = 180 * dayMs;
/** A shutdown within this time gets a warning. */
const shutdownNearMs = 90 * dayMs;
/** The first version that runs TypeScript without flags. */
const oldestNode = "22.18.0";
/** The version that the functions use (infra/runner-function.ts). */
const lambdaNode = "24.0.0";

/** Checks that do not need AWS: this machine, the checkout and the settings. */
export const localChecks: readonly Check[] = [
  {
    id: "node",
    title: "Node",
    beforeDeploy: true,
    needs: [],
    run: async ({ context: { nodeVersion } }) => {
      const remedy = `Start it with npm (${commandLine("…")}), which uses the project's Node, or install Node 24.`;
      if (compareVersions(nodeVersion, oldestNode) < 0)
        return { outcome: "fail", finding: `${nodeVersion} is too old`, remedy };
      if (compareVersions(nodeVersion, lambdaNode) < 0)
        return { outcome: "warn", finding: `${nodeVersion}, while the functions run on 24`, remedy };
      return { outcome: "ok", finding: nodeVersion };
    },
  },
  {
    id: "packages",
    title: "Packages",
    beforeDeploy: true,
    needs: [],
    run: async ({ context: { project } }) => {
      const missing = await project.missingPackages();
      if (missing.length === 0)
        return { outcome: "ok", finding: "all installed in the versions of package.json" };
      const finding = `${count(missing.length, "package")} missing or in another version: ${missing.slice(0, 5).join(", ")}`;
      return { outcome: "fail", finding, remedy: "npm ci" };
    },
  },
  {
    id: "settings",
    title: "Settings",
    beforeDeploy: true,
    needs: [],
    run: async (facts) => {
      const settings = await facts.settings();
      ownInstructions(settings.inference); // throws if a file of instructions cannot be read
      return { outcome: "ok", finding: summaryOf(settings) };
    },
  },
  {
    id: "prices",
    title: "Prices",
    beforeDeploy: true,
    needs: ["settings"],
    run: async (facts) => {
      const settings = await facts.settings();
      const nowMs = facts.context.clock.now();
      return [judgePrices(settings, nowMs), ...judgeTable(settings, nowMs)];
    },
  },
  {
    id: "model",
    title: "Model",
    beforeDeploy: true,
    needs: ["settings"],
    run: judgeModel,
  },
];

/** A summary of the settings. Parsing has already checked that they are consistent (infra/relations.ts). */
function summaryOf({ stackName, inference, pools }: Settings): string {
  const each = pools.map((pool) => {
    const { name, kind, polling, processor, runLimitMinutes, concurrency } = pool;
    const attemptMs = processor.timeoutSeconds * 1_000 - timing.attemptReserveMs;
    const cycle =
      pollingTimes[polling].cycleMs === 0
        ? "once a minute"
        : `${formatDuration(pollingTimes[polling].cycleMs)} of a minute`;
    return `${name} (${kind}): polls ${cycle}, ${count(concurrency, "run")} at once, attempts of ${formatDuration(attemptMs)}, runs of up to ${runLimitMinutes} min`;
  });
  return `stack ${stackName}, model ${inference.model}; ${each.join("; ")}`;
}

function judgePrices(settings: Settings, nowMs: number): Finding {
  const { inference, spend } = settings;
  const { models: known } = priceListFor(settings);
  const models = [...new Set([inference.model, inference.summaryModel])];
  const unknown = models.filter((model) => !Object.hasOwn(known, model));
  if (unknown.length > 0) {
    const finding = `none is known for ${unknown.join(", ")}: costs are not estimated, and no daily cap can be set`;
    return { outcome: "warn", finding, remedy: "Add it to cdk.json: spend.prices." };
  }
  const ageMs = nowMs - Date.parse(spend.pricesAsOf);
  const finding = `known for ${models.join(", ")}, as of ${spend.pricesAsOf}`;
  if (ageMs <= pricesFreshMs) return { outcome: "ok", finding };
  const own =
    "Compare them with the provider's page, and write them into cdk.json: spend.prices and spend.pricesAsOf.";
  const remedy = spend.pricesAsOf === tableAsOf ? `Install a newer release, if there is one. ${own}` : own;
  return { outcome: "warn", finding: `${finding}, which is ${formatDuration(ageMs)} ago`, remedy };
}

/** The age of the built-in table; no finding if the prices in use have just been judged by the same date. */
function judgeTable({ spend }: Settings, nowMs: number): readonly Finding[] {
  const ageMs = nowMs - Date.parse(tableAsOf);
  if (ageMs <= pricesFreshMs || spend.pricesAsOf === tableAsOf) return [];
  return [
    {
      outcome: "warn",
      finding: `AWS's prices and the models' shutdown dates are those of ${tableAsOf}, ${formatDuration(ageMs)} ago`,
      remedy:
        "Install a newer release, if there is one: cost estimates and warnings of shutdowns may be wrong.",
    },
  ];
}

async function judgeModel(facts: Facts): Promise<Finding> {
  const settings = await facts.settings();
  const { model } = settings.inference;
  if (bedrockOf(settings))
    return {
      outcome: "ok",
      finding: `${model}: its model card in Amazon Bedrock's user guide has the shutdown date`,
    };
  const deployed = valueOf(await attempt(() => facts.stack()))?.settings;
  // The answer is about the deployed model. If cdk.json names another one, the provider has not been asked
  // about it.
  const isDeployed = deployed?.inference.model === model;
  const answer = isDeployed ? valueOf(await attempt(() => facts.model())) : undefined;
  if (answer?.kind === "unseen") {
    const remedy =
      "Choose a model that the key may use (inference.model), or give its project access to this one.";
    const outcome = isOpenAi(settings) ? "fail" : "warn";
    return { outcome, finding: `the key has no access to the model ${model}`, remedy };
  }
  const providerDate = answer?.kind === "available" ? answer.shutdownDate : undefined;
  const known = shutdownOf(model);
  const shutdown = providerDate === undefined ? known : { date: providerDate, instead: known?.instead };
  const source =
    answer?.kind === "available" ? "available to the key" : `in the built-in list of ${tableAsOf}`;
  if (!shutdown) return { outcome: "ok", finding: `${model}: ${source}, no shutdown announced` };
  return judgeShutdown(model, shutdown, facts.context.clock.now());
}

function judgeShutdown(model: string, { date, instead }: Shutdown, nowMs: number): Finding {
  const leftMs = Date.parse(date) - nowMs;
  const remedy = `Choose another model (inference.model)${instead === undefined ? "" : `; its provider names ${instead}`}, and deploy.`;
  if (leftMs <= 0) return { outcome: "fail", finding: `${model} was shut down on ${date}`, remedy };
  const finding = `${model} will be shut down on ${date}, in ${formatDuration(leftMs)}`;
  return leftMs > shutdownNearMs ? { outcome: "ok", finding } : { outcome: "warn", finding, remedy };
}
