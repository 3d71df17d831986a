import type { LambdaService } from "../lambda-service.ts";
import { ServiceError } from "../errors.ts";
import type { InvocationType } from "../lambda-service.ts";
import type { Route } from "./protocols.ts";
import * as z from "zod";

const invocationType: z.ZodType<InvocationType> = z.enum(["Event", "RequestResponse", "DryRun"]);

/** Lambda's routes. */
export const lambdaRoutes: readonly Route<LambdaService>[] = [
  {
    method: "POST",
    path: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
    answer: async ({ names: [functionName = ""], headers, body }, lambda) => {
      const asked = headers["x-amz-invocation-type"] ?? "RequestResponse";
      const type = invocationType.safeParse(asked);
      if (!type.success) {
        throw new ServiceError(
          "InvalidParameterValueException",
          `Value '${String(asked)}' at 'invocationType' is not known.`,
        );
      }
      const header = headers["x-amzn-trace-id"];
      const trace = typeof header === "string" ? header : undefined;
      const result = await lambda.invoke({ functionName, payload: body, type: type.data, trace });
      const failed = result.functionError;
      return {
        status: result.statusCode,
        headers: {
          "x-amzn-requestid": result.requestId,
          ...(type.data === "RequestResponse" ? { "x-amz-executed-version": "$LATEST" } : {}),
          ...(failed === undefined ? {} : { "x-amz-function-error": failed }),
        },
        body: result.payload,
      };
    },
  },
  {
    method: "GET",
    path: /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
    answer: ({ names: [functionName = ""] }, lambda) => {
      const { resource } = lambda.find(functionName).runtime;
      const { name, arn, handler, timeoutMs, memoryMb, variables, log } = resource;
      return {
        body: {
          FunctionName: name,
          FunctionArn: arn,
          Runtime: "nodejs24.x",
          Handler: handler,
          Timeout: timeoutMs / 1_000,
          MemorySize: memoryMb,
          Version: "$LATEST",
          State: "Active",
          LastUpdateStatus: "Successful",
          Environment: { Variables: variables },
          LoggingConfig: { LogFormat: log.format, LogGroup: log.group },
        },
      };
    },
  },
  {
    method: "GET",
    path: /^\/2016-08-19\/account-settings\/?$/,
    answer: (_request, lambda) => {
      const { accountConcurrency: limit } = lambda;
      const reserved = lambda.functions.map(({ runtime }) => runtime.resource.reservedConcurrency ?? 0);
      const unreserved = limit - reserved.reduce((sum, value) => sum + value, 0);
      return {
        body: {
          AccountLimit: { ConcurrentExecutions: limit, UnreservedConcurrentExecutions: unreserved },
          AccountUsage: { FunctionCount: lambda.functions.length },
        },
      };
    },
  },
];
