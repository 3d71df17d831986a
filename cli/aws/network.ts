import {
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  EC2Client,
  type IpPermission,
  type RouteTable,
  type Subnet,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import type { Network, NetworkSubnet } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createNetwork(config: AwsConfig): Network {
  const client = new EC2Client(config);
  return {
    // Filters leave out what does not exist; a list of ids would make the call fail.
    read: async ({ subnetIds, securityGroupIds }) => {
      const [{ Subnets = [] }, { SecurityGroups = [] }] = await Promise.all([
        client.send(new DescribeSubnetsCommand({ Filters: [filter("subnet-id", subnetIds)] })),
        client.send(new DescribeSecurityGroupsCommand({ Filters: [filter("group-id", securityGroupIds)] })),
      ]);
      const inVpcs = [filter("vpc-id", [...new Set(Subnets.map(({ VpcId = "" }) => VpcId))])];
      const [{ RouteTables = [] }, { VpcEndpoints = [] }] =
        Subnets.length === 0
          ? [{}, {}]
          : await Promise.all([
              client.send(new DescribeRouteTablesCommand({ Filters: inVpcs })),
              client.send(new DescribeVpcEndpointsCommand({ Filters: inVpcs })),
            ]);
      const tableIds = Subnets.map((subnet) => tableOf(RouteTables, subnet)?.RouteTableId ?? "");
      return {
        subnets: Subnets.map((subnet) => ({
          id: subnet.SubnetId ?? "",
          vpcId: subnet.VpcId ?? "",
          zone: subnet.AvailabilityZone ?? "",
          defaultRoute: defaultRouteOf(tableOf(RouteTables, subnet)),
        })),
        securityGroups: SecurityGroups.map(({ GroupId = "", VpcId = "", IpPermissionsEgress = [] }) => ({
          id: GroupId,
          vpcId: VpcId,
          allowsHttps: IpPermissionsEgress.some(coversHttps),
        })),
        endpoints: VpcEndpoints.filter((endpoint) => isUsed(endpoint, tableIds)).map(({ ServiceName = "" }) =>
          ServiceName.slice(ServiceName.lastIndexOf(".") + 1),
        ),
      };
    },
  };
}

const filter = (Name: string, values: readonly string[]) => ({ Name, Values: [...values] });

/** A subnet without a route table of its own uses the main one of its VPC. */
function tableOf(tables: readonly RouteTable[], subnet: Subnet): RouteTable | undefined {
  const own = tables.find(({ Associations = [] }) =>
    Associations.some(({ SubnetId }) => SubnetId === subnet.SubnetId),
  );
  const isMain = ({ VpcId, Associations = [] }: RouteTable): boolean =>
    VpcId === subnet.VpcId && Associations.some(({ Main }) => Main === true);
  return own ?? tables.find(isMain);
}

function defaultRouteOf(table: RouteTable | undefined): NetworkSubnet["defaultRoute"] {
  const route = table?.Routes?.find(
    ({ DestinationCidrBlock, State }) => DestinationCidrBlock === "0.0.0.0/0" && State !== "blackhole",
  );
  if (route === undefined) return "none";
  return route.GatewayId?.startsWith("igw-") === true ? "internet gateway" : "NAT or other";
}

const coversHttps = ({ IpProtocol, FromPort = 0, ToPort = 65_535 }: IpPermission): boolean =>
  IpProtocol === "-1" || (IpProtocol === "tcp" && FromPort <= 443 && ToPort >= 443);

/** Whether calls from every one of the subnets go through the endpoint by themselves. */
function isUsed(endpoint: VpcEndpoint, tableIds: readonly string[]): boolean {
  const { State, VpcEndpointType, PrivateDnsEnabled, RouteTableIds = [] } = endpoint;
  if (State?.toLowerCase() !== "available") return false;
  if (VpcEndpointType === "Gateway") return tableIds.every((id) => RouteTableIds.includes(id));
  return PrivateDnsEnabled === true;
}
