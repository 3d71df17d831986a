import { CfnOutput } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { KeySecret } from "./key-secret.ts";
import { operatingOutputs } from "./monitoring/outputs.ts";
import { poolId } from "./pool-id.ts";
import type { Rotator } from "./rotator.ts";
import type { StudioRunner } from "./studio-runner.ts";

interface Output {
  readonly id: string;
  readonly value: string;
  readonly description: string;
}

/** Outputs for an operator after a deploy: names, secret ARNs, and the commands that store the keys. */
export function addOutputs(scope: Construct, runner: StudioRunner): readonly CfnOutput[] {
  const outputs: readonly Output[] = [
    { id: "RunStoreTable", value: runner.runStore.tableName, description: "The run store's table" },
    ...keyOutputs("ModelKey", {
      secret: runner.modelKey,
      what: "the model's API key",
      file: "model-key.txt",
    }),
    ...runner.pools.flatMap(({ settings, runnerKeys, dispatcher, processor, recovery, rotator }) => {
      const id = poolId(settings.name);
      const ofPool = `of pool ${settings.name}`;
      return [
        {
          id: `${id}Dispatcher`,
          value: dispatcher.runner.function.functionName,
          description: `The dispatcher ${ofPool}`,
        },
        {
          id: `${id}Processor`,
          value: processor.runner.function.functionName,
          description: `The processor ${ofPool}`,
        },
        {
          id: `${id}Recovery`,
          value: recovery.runner.function.functionName,
          description: `Recovery ${ofPool}`,
        },
        {
          id: `${id}DeadLetters`,
          value: recovery.deadLetters.queueUrl,
          description: `Events ${ofPool} that recovery could not handle`,
        },
        ...keyOutputs(`${id}Keys`, {
          secret: runnerKeys,
          what: `the runner keys ${ofPool} (kind ${settings.kind}; one key, or a JSON list of keys)`,
          file: "runner-keys.txt",
        }),
        ...rotatorOutputs(rotator, id, ofPool),
      ];
    }),
    ...operatingOutputs(runner),
  ];
  return outputs.map(({ id, ...output }) => new CfnOutput(scope, id, output));
}

function rotatorOutputs(rotator: Rotator | undefined, id: string, ofPool: string): readonly Output[] {
  if (rotator === undefined) return [];
  const { functionName } = rotator.runner.function;
  return [
    { id: `${id}Rotator`, value: functionName, description: `The rotator ${ofPool}` },
    ...keyOutputs(`${id}Account`, {
      secret: rotator.account,
      what: `what the rotator ${ofPool} signs in with ({"refreshToken": …, "apiKey": …})`,
      file: "account.json",
    }),
  ];
}

interface KeyOutput {
  /** Absent: there is no such secret. */
  readonly secret: KeySecret | undefined;
  readonly what: string;
  /** The command reads a file, so that the key stays out of the shell's history. */
  readonly file: string;
}

/**
 * Outputs of a key's secret. None if there is no secret; only the ARN for an imported one, which its owner
 * fills.
 */
function keyOutputs(id: string, { secret, what, file }: KeyOutput): readonly Output[] {
  if (secret === undefined) return [];
  const arn = { id: `${id}Secret`, value: secret.arn, description: `The secret with ${what}` };
  const command = {
    id: `${id}Command`,
    value: `aws secretsmanager put-secret-value --secret-id ${secret.arn} --secret-string file://${file}`,
    description: `Write ${what} to ${file}, run this, delete the file`,
  };
  return secret.imported ? [arn] : [arn, command];
}
