import { describe, expect, it } from "vitest";
import { judge, readCheckov, readLint, type Finding } from "../static/findings.ts";

const finding = (fields: Partial<Finding>): Finding => ({
  example: "minimal",
  rule: "R1",
  resource: "RunnerTable1A2B3C4D",
  message: "Tables need a key",
  ...fields,
});

describe("a finding of cfn-lint or checkov", () => {
  it("is unexplained without an exception for its rule, example and resource", () => {
    const findings = [
      finding({}),
      finding({ rule: "R2" }),
      finding({ example: "company" }),
      finding({ resource: "RunnerQueue" }),
    ];
    const exception = { rule: "R1", examples: ["minimal"], resources: /Table/, reason: "AWS encrypts it." };
    expect(judge(findings, [exception])).toEqual({
      unexplained: findings.slice(1),
      explained: [{ ...exception, count: 1 }],
      unused: [],
    });
  });

  it("leaves an exception unused when it is gone", () => {
    const exception = { rule: "R1", reason: "AWS encrypts it." };
    expect(judge([], [exception])).toEqual({ unexplained: [], explained: [], unused: [exception] });
  });
});

it("the reports of both tools are read as findings of an example's resources", () => {
  const lint = [
    {
      Filename: "/tmp/two-pools.json",
      Message: "dependency already enforced",
      Rule: { Id: "W3005" },
      Location: { Path: ["Resources", "RunnerTable", "DependsOn", 2] },
    },
  ];
  expect(readLint(JSON.stringify(lint))).toEqual([
    {
      example: "two-pools",
      rule: "W3005",
      resource: "RunnerTable",
      message: "dependency already enforced",
    },
  ]);
  const failed = {
    check_id: "CKV_AWS_26",
    check_name: "Ensure topics are encrypted",
    file_path: "/minimal.json",
    resource: "AWS::SNS::Topic.RunnerAlarms",
  };
  const report = { results: { failed_checks: [failed], parsing_errors: [] }, summary: { passed: 7 } };
  expect(readCheckov(JSON.stringify(report))).toEqual({
    passed: 7,
    findings: [
      {
        example: "minimal",
        rule: "CKV_AWS_26",
        resource: "RunnerAlarms",
        message: "Ensure topics are encrypted",
      },
    ],
  });
});

it("a template that checkov cannot read is an error", () => {
  const report = { results: { failed_checks: [], parsing_errors: ["a.json"] }, summary: { passed: 0 } };
  expect(() => readCheckov(JSON.stringify(report))).toThrow("checkov could not read a.json");
});
