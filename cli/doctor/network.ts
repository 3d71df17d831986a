import { bedrockOf, type Settings } from "../../infra/settings.ts";
import type { NetworkFacts } from "../ports.ts";
import type { Check, Finding } from "./check.ts";

/** Whether functions in the settings' VPC can reach what they call. */
export const networkChecks: readonly Check[] = [
  {
    id: "network",
    title: "Network",
    beforeDeploy: true,
    awsOnly: true,
    needs: ["settings", "credentials"],
    unknown: "warn",
    run: async (facts) => {
      const settings = await facts.settings();
      if (settings.network === undefined) return [];
      const { network, region } = await facts.context.aws();
      const services = servicesOf(settings, await region());
      const found = await network.read(settings.network);
      const problems = [
        ...missing(settings.network, found),
        ...wrongVpcs(found),
        ...unreachable(found),
        ...blocked(found, services),
      ];
      return problems.length > 0 ? problems : reached(found, services);
    },
  },
];

type Given = NonNullable<Settings["network"]>;

/** AWS services that the functions themselves call. */
function servicesOf(settings: Settings, stackRegion: string): readonly string[] {
  const bedrock = bedrockOf(settings);
  const { region = stackRegion } = bedrock ?? {};
  return [
    "dynamodb",
    "lambda",
    "secretsmanager",
    ...(settings.inference.workloadIdentity ? ["sts"] : []),
    // An endpoint of the VPC is for its own region.
    ...(bedrock ? [`bedrock-${bedrock.endpoint}${region === stackRegion ? "" : ` in ${region}`}`] : []),
  ];
}

function missing(given: Given, { subnets, securityGroups }: NetworkFacts): readonly Finding[] {
  const there = [...subnets, ...securityGroups].map(({ id }) => id);
  const absent = [...given.subnetIds, ...given.securityGroupIds].filter((id) => !there.includes(id));
  return absent.map((id) => ({
    outcome: "fail",
    finding: `${id} does not exist in this account and region`,
    remedy: "Correct it in cdk.json: network.",
  }));
}

function wrongVpcs({ subnets, securityGroups }: NetworkFacts): readonly Finding[] {
  const vpcs = [...new Set([...subnets, ...securityGroups].map(({ vpcId }) => vpcId))];
  if (vpcs.length < 2) return [];
  const finding = `subnets and security groups are in ${vpcs.length} VPCs: ${vpcs.join(", ")}`;
  return [{ outcome: "fail", finding, remedy: "Give those of one VPC in cdk.json: network." }];
}

function unreachable({ subnets, securityGroups }: NetworkFacts): readonly Finding[] {
  const open = subnets.filter(({ defaultRoute }) => defaultRoute === "internet gateway");
  return [
    ...open.map(({ id }): Finding => ({
      outcome: "fail",
      finding: `${id} sends to an internet gateway, but functions have no public address: they would reach neither Studio nor AWS`,
      remedy: "Give private subnets, whose default route goes to a NAT gateway: cdk.json, network.subnetIds.",
    })),
    ...(securityGroups.length > 0 && securityGroups.every(({ allowsHttps }) => !allowsHttps)
      ? [
          {
            outcome: "fail",
            finding: "no security group lets the functions send to port 443",
            remedy: "Add an outbound rule for TCP 443 to one of network.securityGroupIds.",
          } as const,
        ]
      : []),
  ];
}

function blocked({ closedEndpoints }: NetworkFacts, services: readonly string[]): readonly Finding[] {
  return services
    .filter((service) => closedEndpoints.includes(service))
    .map((service) => ({
      outcome: "fail",
      finding: `the VPC's endpoint for ${service} does not let the functions in: none of its security groups has an inbound rule for them on port 443`,
      remedy:
        "Add an inbound rule for TCP 443 from network.securityGroupIds to the endpoint's security group.",
    }));
}

function reached({ subnets, endpoints }: NetworkFacts, services: readonly string[]): readonly Finding[] {
  const without = services.filter((service) => !endpoints.includes(service));
  const closed = subnets.filter(({ defaultRoute }) => defaultRoute === "none").map(({ id }) => id);
  if (closed.length > 0) {
    const finding = `${closed.join(", ")} ${closed.length === 1 ? "has" : "have"} no default route${without.length === 0 ? "" : `, and the VPC no endpoint for ${without.join(", ")}`}: functions there reach Studio and the model only if the network has a way of its own`;
    const remedy = "Route 0.0.0.0/0 to a NAT gateway, or give other subnets: cdk.json, network.subnetIds.";
    return [{ outcome: without.length === 0 ? "warn" : "fail", finding, remedy }];
  }
  const zones = [...new Set(subnets.map(({ zone }) => zone))];
  const way = without.length === 0 ? "" : `; ${without.join(", ")} through NAT, as the VPC has no endpoint`;
  if (zones.length > 1)
    return [{ outcome: "ok", finding: `${subnets.length} subnets in ${zones.join(", ")}${way}` }];
  return [
    {
      outcome: "warn",
      finding: `every subnet is in ${zones.join()}: with that zone, the runner stops${way}`,
      remedy: "Add a subnet in another zone: cdk.json, network.subnetIds.",
    },
  ];
}
