import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { openRunsIndex } from "../lib/runs/run-queries.ts";
import type { Settings } from "./settings.ts";

export interface RunStoreTableProps {
  readonly removalPolicy: Settings["removalPolicy"];
  /** An existing table with the same keys and index. Absent: a table is created. */
  readonly importedArn: string | undefined;
}

const removalPolicies = { destroy: RemovalPolicy.DESTROY, retain: RemovalPolicy.RETAIN } as const;

/**
 * Restricts access to one pool's rows. The leading key is the partition key of the table (`pool`) or of the
 * index (`openIn`); both contain the pool's name.
 */
const ofPool = (pool: string) => ({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [pool] } });

/** The run store: rows by `pool` and `id`, and the sparse index of open runs. */
export class RunStoreTable extends Construct {
  readonly tableName: string;
  readonly tableArn: string;

  constructor(scope: Construct, id: string, props: RunStoreTableProps) {
    super(scope, id);
    const { importedArn, removalPolicy } = props;
    const table =
      importedArn === undefined
        ? this.#create(removalPolicy)
        : Table.fromTableArn(this, "Imported", importedArn);
    this.tableName = table.tableName;
    this.tableArn = table.tableArn;
  }

  /** Allows access to single rows of one pool by their key. */
  rowStatement(pool: string, ...actions: readonly ("GetItem" | "PutItem" | "UpdateItem")[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [this.tableArn],
      conditions: ofPool(pool),
    });
  }

  openRunsStatement(pool: string): PolicyStatement {
    return new PolicyStatement({
      actions: ["dynamodb:Query"],
      resources: [`${this.tableArn}/index/${openRunsIndex}`],
      conditions: ofPool(pool),
    });
  }

  #create(removalPolicy: RunStoreTableProps["removalPolicy"]): Table {
    const table = new Table(this, "Table", {
      partitionKey: { name: "pool", type: AttributeType.STRING },
      sortKey: { name: "id", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expiresAtSeconds",
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy === "retain",
      removalPolicy: removalPolicies[removalPolicy],
    });
    table.addGlobalSecondaryIndex({
      indexName: openRunsIndex,
      partitionKey: { name: "openIn", type: AttributeType.STRING },
      sortKey: { name: "leaseExpiresAtMs", type: AttributeType.NUMBER },
      projectionType: ProjectionType.ALL,
    });
    return table;
  }
}
