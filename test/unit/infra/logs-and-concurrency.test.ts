import { expect, it } from "vitest";
import { pool, problems } from "./settings-cases.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const classesOf = (settings: unknown): readonly unknown[] =>
  synthesizeUnbundled(settings)
    .resources("AWS::Logs::LogGroup")
    .map(({ Properties }) => Properties["LogGroupClass"]);

it("every log group has the class of the settings; the default is left to CloudWatch", () => {
  expect(classesOf({ logClass: "infrequent-access", monitoring: { level: "off" } })).toEqual([
    "INFREQUENT_ACCESS",
    "INFREQUENT_ACCESS",
    "INFREQUENT_ACCESS",
  ]);
  expect(classesOf({ logClass: "standard" })).toEqual([undefined, undefined, undefined]);
});

it("only the processor has reserved concurrency, where the settings give it", () => {
  const { resources } = synthesizeUnbundled(pool({ processor: { reservedConcurrency: 25 } }));
  const reserved = resources("AWS::Lambda::Function").map(({ logicalId, Properties }) => [
    /Dispatcher|Processor|Recovery/.exec(logicalId)?.[0],
    Properties["ReservedConcurrentExecutions"],
  ]);
  expect(Object.fromEntries(reserved)).toEqual({
    Processor: 25,
    Recovery: undefined,
    Dispatcher: undefined,
  });
});

it.each<readonly [settings: unknown, problem: string]>([
  [
    { logClass: "infrequent-access" },
    'logClass: is "infrequent-access", in which CloudWatch extracts no metrics from log lines, but monitoring.level "full" needs them. Give "standard", or set monitoring.level to "off".',
  ],
  [{ logClass: "delivery" }, 'logClass: given "delivery". Give one of: standard, infrequent-access.'],
  [
    pool({ processor: { reservedConcurrency: 9 } }),
    "pools[0].processor.reservedConcurrency: is 9, but concurrency is 10: leased jobs would wait for a free function. Give 10 or more, or lower concurrency.",
  ],
  [
    pool({ processor: { reservedConcurrency: 0 } }),
    "pools[0].processor.reservedConcurrency: given 0. Give a whole number from 1 to 1000 (invocations at once).",
  ],
  [
    pool({ concurrency: 50, processor: { reservedConcurrency: 40 } }),
    "pools[0].processor.reservedConcurrency: is 40, but concurrency is 50: leased jobs would wait for a free function. Give 50 or more, or lower concurrency.",
  ],
])("the settings refuse %j", (settings, problem) => {
  expect(problems(settings)).toEqual([problem]);
});
