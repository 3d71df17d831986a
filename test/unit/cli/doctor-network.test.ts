import { beforeEach, expect, it } from "vitest";
import type { NetworkFacts, NetworkSubnet } from "../../../cli/ports.ts";
import { cli, setUpCli } from "./set-up.ts";

setUpCli({});

const subnet = (id: string, fields: Partial<NetworkSubnet> = {}): NetworkSubnet => ({
  id: `subnet-0000000${id}`,
  vpcId: "vpc-1",
  zone: `eu-west-1${id}`,
  defaultRoute: "NAT or other",
  ...fields,
});
const group = { id: "sg-00000001", vpcId: "vpc-1", allowsHttps: true };
const healthy: NetworkFacts = {
  subnets: [subnet("a"), subnet("b")],
  securityGroups: [group],
  endpoints: ["dynamodb", "lambda", "secretsmanager"],
  closedEndpoints: [],
};
const network = { subnetIds: ["subnet-0000000a", "subnet-0000000b"], securityGroupIds: ["sg-00000001"] };

beforeEach(() => void (cli.projectSettings = { network }));

/** "outcome: finding" of each finding of the check. */
async function found(facts: Partial<NetworkFacts>): Promise<readonly string[]> {
  cli.aws.services = { network: { read: () => Promise.resolve({ ...healthy, ...facts }) } };
  const { out } = await cli.run("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { id: string; outcome: string; finding: string }[] };
  return checks.filter(({ id }) => id === "network").map(({ outcome, finding }) => `${outcome}: ${finding}`);
}

it("doctor says nothing about the network where the settings have none", async () => {
  cli.projectSettings = {};
  expect(await found({})).toEqual([]);
});

it.each<readonly [finding: string, facts: Partial<NetworkFacts>]>([
  ["ok: 2 subnets in eu-west-1a, eu-west-1b", {}],
  [
    "ok: 2 subnets in eu-west-1a, eu-west-1b; dynamodb, lambda through NAT, as the VPC has no endpoint",
    { endpoints: ["secretsmanager"] },
  ],
  [
    "warn: every subnet is in eu-west-1a: with that zone, the runner stops",
    { subnets: [subnet("a"), subnet("b", { zone: "eu-west-1a" })] },
  ],
  ["fail: subnet-0000000b does not exist in this account and region", { subnets: [subnet("a")] }],
  ["fail: sg-00000001 does not exist in this account and region", { securityGroups: [] }],
  [
    "fail: subnets and security groups are in 2 VPCs: vpc-1, vpc-2",
    { securityGroups: [{ ...group, vpcId: "vpc-2" }] },
  ],
  [
    "fail: subnet-0000000b sends to an internet gateway, but functions have no public address: they would reach neither Studio nor AWS",
    { subnets: [subnet("a"), subnet("b", { defaultRoute: "internet gateway" })] },
  ],
  [
    "fail: no security group lets the functions send to port 443",
    { securityGroups: [{ ...group, allowsHttps: false }] },
  ],
  [
    "fail: the VPC's endpoint for lambda does not let the functions in: none of its security groups has an inbound rule for them on port 443",
    { closedEndpoints: ["lambda", "kms"] },
  ],
  [
    "warn: subnet-0000000b has no default route: functions there reach Studio and the model only if the network has a way of its own",
    { subnets: [subnet("a"), subnet("b", { defaultRoute: "none" })] },
  ],
  [
    "fail: subnet-0000000b has no default route, and the VPC no endpoint for lambda: functions there reach Studio and the model only if the network has a way of its own",
    {
      subnets: [subnet("a"), subnet("b", { defaultRoute: "none" })],
      endpoints: ["dynamodb", "secretsmanager"],
    },
  ],
])("doctor reports about the network: %s", async (finding, facts) => {
  expect(await found(facts)).toEqual([finding]);
});

it("doctor asks for the endpoints of Bedrock and STS only where the settings need them", async () => {
  const inference = { provider: "bedrock", endpoint: "runtime", model: "us.openai.gpt-6-luna" };
  cli.projectSettings = { network, inference };
  expect(await found({})).toEqual([
    "ok: 2 subnets in eu-west-1a, eu-west-1b; bedrock-runtime through NAT, as the VPC has no endpoint",
  ]);
});

it("doctor counts an endpoint of Bedrock only when inference.region is the stack's region", async () => {
  const inference = { provider: "bedrock", endpoint: "runtime", model: "us.openai.gpt-6-luna" };
  const endpoints = [...healthy.endpoints, "bedrock-runtime"];
  cli.projectSettings = { network, inference };
  expect(await found({ endpoints })).toEqual(["ok: 2 subnets in eu-west-1a, eu-west-1b"]);
  cli.projectSettings = { network, inference: { ...inference, region: "us-west-2" } };
  expect(await found({ endpoints })).toEqual([
    "ok: 2 subnets in eu-west-1a, eu-west-1b; bedrock-runtime in us-west-2 through NAT, as the VPC has no endpoint",
  ]);
});
