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
      const used = VpcEndpoints.filter((endpoint) => isUsed(endpoint, tableIdsOf(Subnets, RouteTables)));
      const open = await readOpenGroups(client, used.flatMap(groupIdsOf), securityGroupIds);
      const closed = used
        .map((endpoint) => ({ endpoint, ids: groupIdsOf(endpoint) }))
        .filter(({ ids }) => ids.length > 0 && !ids.some((id) => open.includes(id)));
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
        endpoints: used.map(serviceOf),
        closedEndpoints: closed.map(({ endpoint }) => serviceOf(endpoint)),
      };
    },
  };
}

/** Those of the groups that let members of `from` send to port 443. */
async function readOpenGroups(
  client: EC2Client,
  ids: readonly string[],
  from: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const Filters = [filter("group-id", [...new Set(ids)])];
  const { SecurityGroups = [] } = await client.send(new DescribeSecurityGroupsCommand({ Filters }));
  return SecurityGroups.filter(({ IpPermissions = [] }) =>
    IpPermissions.some((rule) => coversHttps(rule) && letsIn(rule, from)),
  ).map(({ GroupId = "" }) => GroupId);
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

const tableIdsOf = (subnets: readonly Subnet[], tables: readonly RouteTable[]): readonly string[] =>
  subnets.map((subnet) => tableOf(tables, subnet)?.RouteTableId ?? "");

const serviceOf = ({ ServiceName = "" }: VpcEndpoint): string =>
  ServiceName.slice(ServiceName.lastIndexOf(".") + 1);

/** The security groups of an interface endpoint; a gateway endpoint has none. */
const groupIdsOf = ({ Groups = [] }: VpcEndpoint): readonly string[] =>
  Groups.map(({ GroupId = "" }) => GroupId);

/** Whether the rule is for one of these groups, or for addresses, which are not compared with the subnets'. */
const letsIn = (
  { UserIdGroupPairs = [], IpRanges = [], Ipv6Ranges = [], PrefixListIds = [] }: IpPermission,
  groupIds: readonly string[],
): boolean =>
  IpRanges.length + Ipv6Ranges.length + PrefixListIds.length > 0 ||
  UserIdGroupPairs.some(({ GroupId = "" }) => groupIds.includes(GroupId));

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
