import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { openRunsIndex } from "../lib/runs/run-queries.ts";
import { importKey, keyStatements } from "./encryption.ts";
import type { Settings } from "./settings.ts";

export interface RunStoreTableProps {
  readonly removalPolicy: Settings["removalPolicy"];
  /** An existing table with the same keys and index. Absent: a table is created. */
  readonly importedArn: string | undefined;
  /** The customer-managed KMS key of the table, created or existing. */
  readonly kmsKeyArn: string | undefined;
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
  readonly #kmsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: RunStoreTableProps) {
    super(scope, id);
    const { importedArn } = props;
    this.#kmsKeyArn = props.kmsKeyArn;
    const table =
      importedArn === undefined ? this.#create(props) : Table.fromTableArn(this, "Imported", importedArn);
    this.tableName = table.tableName;
    this.tableArn = table.tableArn;
  }

  /** Allows access to the rows of one pool by their key, and the use of the table's KMS key. */
  rowStatements(
    pool: string,
    ...actions: readonly ("GetItem" | "PutItem" | "UpdateItem" | "Query")[]
  ): readonly PolicyStatement[] {
    const rows = new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [this.tableArn],
      conditions: ofPool(pool),
    });
    return [rows, ...keyStatements("dynamodb", this.#kmsKeyArn)];
  }

  openRunsStatement(pool: string): PolicyStatement {
    return new PolicyStatement({
      actions: ["dynamodb:Query"],
      resources: [`${this.tableArn}/index/${openRunsIndex}`],
      conditions: ofPool(pool),
    });
  }

  #create({ removalPolicy, kmsKeyArn }: RunStoreTableProps): Table {
    const encryptionKey = importKey(this, kmsKeyArn);
    const table = new Table(this, "Table", {
      partitionKey: { name: "pool", type: AttributeType.STRING },
      sortKey: { name: "id", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expiresAtSeconds",
      ...(encryptionKey
        ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }
        : { encryption: TableEncryption.AWS_MANAGED }),
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
