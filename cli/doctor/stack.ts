import { isDeepStrictEqual } from "node:util";
import type { Context } from "../context.ts";
import { count, formatAge } from "../format.ts";
import type { PoolStatus } from "../pool-status.ts";
import { compareVersions } from "../versions.ts";
import { hasFailedLast, reasonInWords } from "../cycle-words.ts";
import { perPool, settingsUnread, type Check, type Facts, type Finding } from "./check.ts";
import { toCliError } from "../errors.ts";

/** The period of the dead-man alarm. */
const goodPollWithinMs = 300_000;

/** Checks of the deployed stack. */
export const stackChecks: readonly Check[] = [
  { id: "deployed", title: "Stack", needs: ["credentials"], run: judgeDeployed },
  {
    id: "version",
    title: "Version",
    needs: ["stack"],
    run: async (facts) => {
      const [{ version }, own] = await Promise.all([facts.stack(), facts.context.project.version()]);
      const order = compareVersions(version, own);
      if (order === 0)
        return { outcome: "ok", finding: `${version} is deployed, and this checkout is the same` };
      const finding = `${version} is deployed, this checkout is ${own}`;
      const remedy =
        order < 0
          ? `Deploy it: ${facts.context.commandLine("deploy")}`
          : "Check out the version that is deployed, or newer, before you operate it.";
      return { outcome: "warn", finding, remedy };
    },
  },
  {
    id: "drift",
    title: "Settings deployed",
    awsOnly: true,
    needs: ["settings", "stack"],
    run: async (facts) => {
      const [project, { settings }] = await Promise.all([facts.settings(), facts.stack()]);
      if (isDeepStrictEqual(plain(project), plain(settings)))
        return { outcome: "ok", finding: "the same as in cdk.json" };
      const remedy = `See them: ${facts.context.commandLine("config --differences")}. Deploy: ${facts.context.commandLine("deploy")}`;
      return { outcome: "warn", finding: "cdk.json has changes that are not deployed yet", remedy };
    },
  },
  byStatus("schedule", "Schedule", ({ schedule }) => {
    if (schedule === null) return { outcome: "warn", finding: "could not be read" };
    if (schedule.enabled) return { outcome: "ok", finding: `on, ${schedule.expression}` };
    const remedy = "Enable it in the console of EventBridge Scheduler. A deploy does not.";
    return { outcome: "fail", finding: "off: no dispatch cycle starts", remedy };
  }),
  byStatus("paused", "Leasing", ({ state, paused, dailyCapUsd }, { commandLine }) => {
    if (paused) {
      const by = paused.by === undefined ? "" : ` by ${paused.by}`;
      const why = paused.why === undefined ? "" : `: ${paused.why}`;
      return { outcome: "warn", finding: `paused${by}${why}`, remedy: commandLine("resume") };
    }
    if (state !== "capped") return { outcome: "ok", finding: "on" };
    const finding = `the day's spending has reached its cap of ${dailyCapUsd.value ?? 0} USD: no new leases until 00:00 UTC`;
    return { outcome: "warn", finding, remedy: `Raise it for now: ${commandLine("set-cap USD")}` };
  }),
  byStatus("polls", "Last good poll", judgePolls),
  byStatus("dead-letters", "Dead letters", ({ deadLetters }, { commandLine }) => {
    if (deadLetters === null) return { outcome: "warn", finding: "could not be read" };
    if (deadLetters === 0) return { outcome: "ok", finding: "none" };
    return {
      outcome: "fail",
      finding: `${count(deadLetters, "event")} that recovery could not handle`,
      remedy: commandLine("redrive"),
    };
  }),
  byStatus("alarms", "Alarms", ({ alarms }) => {
    if (alarms === null) return { outcome: "warn", finding: "could not be read" };
    if (alarms.length === 0)
      return { outcome: "skipped", finding: "this stack has none (setting monitoring.level)" };
    const loud = alarms.filter(({ state }) => state === "ALARM").map(({ id }) => id);
    if (loud.length === 0) return { outcome: "ok", finding: `${alarms.length}, none in ALARM` };
    const pages = loud.map((id) => `docs/runbook.md#${id.toLowerCase()}`);
    return { outcome: "fail", finding: `in ALARM: ${loud.join(", ")}`, remedy: pages.join(", ") };
  }),
];

/** Converts through JSON, which removes undefined fields. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function judgeDeployed(facts: Facts): Promise<Finding> {
  try {
    const { name, status } = await facts.stack();
    const remedy = "Look at its events in the console of CloudFormation, then deploy again.";
    if (/^(?!UPDATE_).*(?:ROLLBACK|FAILED|DELETE)|FAILED$/.test(status))
      return { outcome: "fail", finding: `${name} is ${status}`, remedy };
    if (/ROLLBACK|IN_PROGRESS/.test(status))
      return { outcome: "warn", finding: `${name} is ${status}`, remedy };
    return { outcome: "ok", finding: `${name}, ${status}` };
  } catch (error) {
    const { code, message, remedy } = toCliError(error);
    if (code === "config_invalid") return { outcome: "skipped", finding: settingsUnread };
    if (code !== "not_deployed") throw error;
    return { outcome: "warn", finding: message, ...(remedy === undefined ? {} : { remedy }) };
  }
}

function judgePolls(
  { goodPollAtMs, lastCycle, schedule }: PoolStatus,
  { commandLine, clock }: Context,
): Finding {
  const nowMs = clock.now();
  if (schedule?.enabled === false) return { outcome: "skipped", finding: "the schedule is off" };
  const remedy = `See why: ${commandLine("logs --function dispatcher --since 10m")}`;
  if (lastCycle && hasFailedLast(lastCycle, goodPollAtMs)) {
    const when = formatAge(nowMs - lastCycle.atMs);
    return {
      outcome: "fail",
      finding: `the last cycle ${reasonInWords(lastCycle.reason)}, ${when}`,
      remedy,
    };
  }
  if (goodPollAtMs === null)
    return {
      outcome: "warn",
      finding: "none yet: the first cycle ends within two minutes of a deploy",
      remedy,
    };
  const ageMs = nowMs - goodPollAtMs;
  return {
    outcome: ageMs > goodPollWithinMs ? "fail" : "ok",
    finding: formatAge(ageMs),
    ...(ageMs > goodPollWithinMs ? { remedy } : {}),
  };
}

/** A check of what `status` reports about each pool. */
function byStatus(
  id: string,
  title: string,
  judge: (status: PoolStatus, context: Context) => Finding,
): Check {
  return perPool(id, title, async (facts, pool) => {
    return judge(await facts.status(pool), facts.context);
  });
}
