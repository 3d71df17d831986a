import { afterAll, expect, it } from "vitest";
import { toAwsConfig } from "../../../cli/aws/config.ts";
import { createNetwork } from "../../../cli/aws/network.ts";
import { startHttpServer } from "../../support/http-server.ts";

const list = (name: string, ...items: readonly string[]): string =>
  `<${name}>${items.map((item) => `<item>${item}</item>`).join("")}</${name}>`;
const route = (target: string, state = "active"): string =>
  `<destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>${target}<state>${state}</state>`;
const table = (id: string, association: string, ...routes: readonly string[]): string =>
  `<routeTableId>${id}</routeTableId><vpcId>vpc-1</vpcId>${list("routeSet", ...routes)}${list("associationSet", association)}`;
const of = (subnet: string): string => `<subnetId>${subnet}</subnetId><main>false</main>`;
const subnet = (id: string): string =>
  `<subnetId>${id}</subnetId><vpcId>vpc-1</vpcId><availabilityZone>eu-west-1a</availabilityZone>`;
const group = (id: string, permission: string): string =>
  `<groupId>${id}</groupId><vpcId>vpc-1</vpcId>${list("ipPermissionsEgress", permission)}`;
const inbound = (id: string, rule: string): string =>
  `<groupId>${id}</groupId><vpcId>vpc-1</vpcId>${list("ipPermissions", rule)}`;
const https = "<ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>";
/** An interface endpoint with private DNS and this security group. */
const behind = (id: string): string =>
  `<vpcEndpointType>Interface</vpcEndpointType><state>available</state><privateDnsEnabled>true</privateDnsEnabled>${list("groupSet", `<groupId>${id}</groupId>`)}`;
const endpoint = (service: string, rest: string): string =>
  `<serviceName>com.amazonaws.eu-west-1.${service}</serviceName>${rest}`;

/** The security groups of endpoints. */
const guards = list(
  "securityGroupInfo",
  inbound("sg-addresses", `${https}${list("ipRanges", "<cidrIp>10.0.0.0/16</cidrIp>")}`),
  inbound("sg-functions", `${https}${list("groups", "<groupId>sg-all</groupId>")}`),
  inbound("sg-strangers", `${https}${list("groups", "<groupId>sg-other</groupId>")}`),
  inbound(
    "sg-http-in",
    `<ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>80</toPort>${list("ipRanges", "<cidrIp>0.0.0.0/0</cidrIp>")}`,
  ),
);

/** The answers of EC2, by action. */
const answers: Readonly<Record<string, string>> = {
  DescribeSubnets: list("subnetSet", ...["subnet-a", "subnet-b", "subnet-c", "subnet-d"].map(subnet)),
  DescribeRouteTables: list(
    "routeTableSet",
    table("rtb-main", "<main>true</main>", route("<natGatewayId>nat-1</natGatewayId>")),
    table("rtb-public", of("subnet-b"), route("<gatewayId>igw-1</gatewayId>")),
    table("rtb-dead", of("subnet-c"), route("<natGatewayId>nat-2</natGatewayId>", "blackhole")),
    table("rtb-closed", of("subnet-d")),
  ),
  DescribeSecurityGroups: list(
    "securityGroupInfo",
    group("sg-all", "<ipProtocol>-1</ipProtocol>"),
    group("sg-https", "<ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>"),
    group("sg-http", "<ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>80</toPort>"),
  ),
  DescribeVpcEndpoints: list(
    "vpcEndpointSet",
    endpoint(
      "dynamodb",
      `<vpcEndpointType>Gateway</vpcEndpointType><state>available</state>${list("routeTableIdSet", "rtb-main")}`,
    ),
    endpoint(
      "secretsmanager",
      "<vpcEndpointType>Interface</vpcEndpointType><state>available</state><privateDnsEnabled>true</privateDnsEnabled>",
    ),
    endpoint("sts", behind("sg-addresses")),
    endpoint("kms", behind("sg-functions")),
    endpoint("bedrock-mantle", behind("sg-strangers")),
    endpoint("bedrock-runtime", behind("sg-http-in")),
    endpoint(
      "lambda",
      "<vpcEndpointType>Interface</vpcEndpointType><state>available</state><privateDnsEnabled>false</privateDnsEnabled>",
    ),
  ),
};

const ec2 = await startHttpServer(({ body }) => {
  const asked = new URLSearchParams(body);
  const action = asked.get("Action") ?? "";
  const isOfEndpoints = asked.get("Filter.1.Value.1") === "sg-addresses";
  return {
    headers: { "content-type": "text/xml" },
    body: `<${action}Response>${isOfEndpoints ? guards : (answers[action] ?? "")}</${action}Response>`,
  };
});
afterAll(() => ec2.close());

it("the network of a VPC is read from EC2: default routes, outbound rules, and the endpoints that every subnet uses, with those that let no function in", async () => {
  const network = createNetwork(
    toAwsConfig({
      region: "eu-west-1",
      endpoint: ec2.baseUrl,
      credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    }),
  );
  const given = { subnetIds: ["subnet-a", "subnet-x"], securityGroupIds: ["sg-all"] };
  const found = { vpcId: "vpc-1", zone: "eu-west-1a" };
  expect(await network.read(given)).toEqual({
    subnets: [
      { ...found, id: "subnet-a", defaultRoute: "NAT or other" },
      { ...found, id: "subnet-b", defaultRoute: "internet gateway" },
      { ...found, id: "subnet-c", defaultRoute: "none" },
      { ...found, id: "subnet-d", defaultRoute: "none" },
    ],
    securityGroups: [
      { id: "sg-all", vpcId: "vpc-1", allowsHttps: true },
      { id: "sg-https", vpcId: "vpc-1", allowsHttps: true },
      { id: "sg-http", vpcId: "vpc-1", allowsHttps: false },
    ],
    endpoints: ["secretsmanager", "sts", "kms", "bedrock-mantle", "bedrock-runtime"],
    closedEndpoints: ["bedrock-mantle", "bedrock-runtime"],
  });
  const asked = ec2.requests.map(({ body }) => new URLSearchParams(body));
  expect(asked[0]?.get("Filter.1.Name")).toBe("subnet-id");
  expect(asked[0]?.get("Filter.1.Value.2")).toBe("subnet-x");
});
