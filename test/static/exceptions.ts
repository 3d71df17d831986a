/** Findings of cfn-lint and checkov that are accepted, and why. */
export interface Exception {
  readonly rule: string;
  /** The examples in which the rule may be broken. Absent: all. */
  readonly examples?: readonly string[];
  /** The resources that may break it, by logical id. Absent: all. */
  readonly resources?: RegExp;
  readonly reason: string;
}

/** The examples that leave encryption and network to the defaults. */
const byDefault = ["bedrock", "lean", "minimal", "two-pools"];
const ownKeys = (what: string, setting: string): string =>
  `${what} encrypted with keys of AWS by default, as a KMS key costs 1 USD a month; encryption.${setting} brings one.`;

export const exceptions: readonly Exception[] = [
  {
    rule: "W3005",
    reason: "CDK writes a dependency on the role beside the reference to it. The second one does no harm.",
  },
  {
    rule: "CKV_AWS_115",
    reason:
      "Reserved concurrency takes invocations from the account, of which new ones have few. The processor's is a setting; the other functions run once a minute or after a failure.",
  },
  {
    rule: "CKV_AWS_116",
    reason:
      "Failed events have a destination (EventInvokeConfig), which replaces a dead-letter queue: recovery for the processor, and a queue for recovery. The dispatcher and the rotator run again on their schedule.",
  },
  {
    rule: "CKV_AWS_173",
    reason:
      "Environment variables hold names and numbers, no secret. AWS encrypts them with a key of its own.",
  },
  {
    rule: "CKV_AWS_111",
    examples: ["company", "own-app"],
    resources: /RunnerNetwork[0-9A-F]{8}$/,
    reason:
      "Lambda connects a function to a VPC with the function's role, whose actions support no resources. The same policy denies them to the function's code.",
  },
  {
    rule: "CKV_AWS_117",
    examples: byDefault,
    reason: "A VPC is a setting: network. It costs a NAT gateway.",
  },
  { rule: "CKV_AWS_119", examples: byDefault, reason: ownKeys("The table is", "tableKeyArn") },
  { rule: "CKV_AWS_149", examples: byDefault, reason: ownKeys("Secrets are", "secretsKeyArn") },
  { rule: "CKV_AWS_158", examples: byDefault, reason: ownKeys("Logs are", "logsKeyArn") },
  { rule: "CKV_AWS_26", examples: byDefault, reason: ownKeys("The topic's messages are", "topicKeyArn") },
  { rule: "CKV_AWS_27", examples: byDefault, reason: ownKeys("The queue is", "queueKeyArn") },
];
