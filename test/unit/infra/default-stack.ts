import { synthesizeUnbundled, type Resource } from "./synthesized.ts";

/** The stack with every default, which has one pool, and its parts. */
export function defaultStack() {
  const stack = synthesizeUnbundled({});
  const table = stack.resource("AWS::DynamoDB::Table");
  const modelKey = stack.resource("AWS::SecretsManager::Secret", "ModelKey");
  const runnerKeys = stack.resource("AWS::SecretsManager::Secret", "PoolDefaultKeys");
  const dispatcher = stack.resource("AWS::Lambda::Function", "Dispatcher");
  const processor = stack.resource("AWS::Lambda::Function", "Processor");
  const recovery = stack.resource("AWS::Lambda::Function", "Recovery");
  const deadLetters = stack.resource("AWS::SQS::Queue");
  const logOf = (part: string): Resource => stack.resource("AWS::Logs::LogGroup", part);
  const roleOf = (part: string): Resource => stack.resource("AWS::IAM::Role", `${part}RunnerRole`);
  const functions = { dispatcher, processor, recovery };
  return { stack, table, modelKey, runnerKeys, ...functions, deadLetters, logOf, roleOf };
}
