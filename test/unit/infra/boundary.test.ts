import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rightsOf } from "./roles.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/company.md"), "utf8");
const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-000000000001";

/** What a role needs more actions for than without any setting, as docs/company.md calls it. */
const cases: Readonly<Record<string, object>> = {
  always: {},
  "with workload identity": {
    inference: { workloadIdentity: { identityProviderId: "idp_1", serviceAccountId: "svc_1" } },
  },
  "with Bedrock's `mantle`": { inference: { provider: "bedrock", model: "openai.gpt-6-luna" } },
  "with Bedrock's `runtime`": {
    inference: { provider: "bedrock", endpoint: "runtime", model: "us.openai.gpt-6-luna" },
  },
  "with tracing": { monitoring: { tracing: "xray" } },
  "with KMS keys": { encryption: { keyArn: kmsKeyArn } },
  "in a VPC": { network: { subnetIds: ["subnet-0a1b2c3d"], securityGroupIds: ["sg-0a1b2c3d"] } },
};

/** The allowed actions of each role of a pool with rotation. */
function actionsWith(settings: object): ReadonlyMap<string, readonly string[]> {
  const stack = synthesizeUnbundled({
    ...settings,
    pools: [{ name: "default", kind: "user", rotation: {} }],
  });
  const actions = Object.entries(rightsOf(stack)).map(([role, { may }]) => {
    const allowed = may.filter((line) => !line.startsWith("Deny ")).map((line) => line.split(" on ")[0]!);
    return [role.replace("PoolDefault", "").toLowerCase(), [...new Set(allowed)].toSorted()] as const;
  });
  return new Map(actions.map(([role, list]) => [role.endsWith("schedule") ? "schedules" : role, list]));
}

const base = actionsWith({});

/** Rows of the table: roles that need the same actions share one. */
function rowsOf(when: string, settings: object): readonly string[] {
  const rolesByActions = new Map<string, readonly string[]>();
  for (const [role, actions] of when === "always" ? base : actionsWith(settings)) {
    const added = when === "always" ? actions : actions.filter((action) => !base.get(role)?.includes(action));
    const text = added.map((action) => `\`${action}\``).join(", ");
    if (added.length > 0) rolesByActions.set(text, [...(rolesByActions.get(text) ?? []), role]);
  }
  return [...rolesByActions].map(([actions, roles]) => `| ${roles.join(", ")} | ${when} | ${actions} |`);
}

it("docs/company.md lists the actions of every role, which a permissions boundary must allow", () => {
  const rows = page
    .split("\n")
    .filter((line) => /^\| (?:dispatcher|processor|recovery|rotator|schedules)\b/.test(line))
    .map((line) => line.replaceAll(/ {2,}/g, " "));
  expect(rows).toEqual(Object.entries(cases).flatMap(([when, settings]) => rowsOf(when, settings)));
});
