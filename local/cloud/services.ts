import { cloudFormationActions } from "./api/cloudformation.ts";
import { cloudWatchActions } from "./api/cloudwatch.ts";
import { lambdaRoutes } from "./api/lambda.ts";
import { logsActions } from "./api/logs.ts";
import { schedulerRoutes } from "./api/scheduler.ts";
import { jsonService, proxyService, queryService, restService, type Service } from "./api/service.ts";
import { sqsActions } from "./api/sqs.ts";
import { createTokenSigner, stsActions, type TokenSigner } from "./api/sts.ts";
import { createStartedQueries } from "./logs/log-queries.ts";
import { refuseEmptyIndexKeys } from "./index-keys.ts";
import type { CloudPorts } from "./ports.ts";
import { secretsActions } from "./secrets-api.ts";

export interface Services {
  /**
   * The services that require a signature, each with the protocol that the AWS SDK for JavaScript 3.1162 uses
   * for it.
   */
  readonly signed: readonly Service[];
  /** Routes for callers without credentials of the account. */
  readonly open: Service;
}

export function createServices(ports: CloudPorts): Services {
  const { clock, account, stack, database, endpoints, lambda, scheduler, monitor, logs, queues } = ports;
  const tokens = createTokenSigner(endpoints.url);
  const stackInfo = {
    name: stack.name,
    id: `arn:aws:cloudformation:${account.region}:${account.accountId}:stack/${stack.name}/local`,
    createdMs: clock.now(),
    outputs: stack.outputs,
  };
  const queries = createStartedQueries(logs);
  const signed = [
    ...(database === undefined
      ? []
      : [
          proxyService("DynamoDB_20120810", database.agent, (body) =>
            refuseEmptyIndexKeys(stack.tables, body),
          ),
        ]),
    jsonService({ prefix: "secretsmanager", version: "1.1" }, { actions: secretsActions, ports }),
    restService(lambdaRoutes, lambda),
    jsonService({ prefix: "AmazonSQS", version: "1.0" }, { actions: sqsActions, ports: queues }),
    jsonService(
      { prefix: "GraniteServiceVersion20100801", version: "1.0" },
      { actions: cloudWatchActions, ports: monitor },
    ),
    jsonService(
      { prefix: "Logs_20140328", version: "1.1" },
      { actions: logsActions, ports: { logs, queries } },
    ),
    restService(schedulerRoutes, scheduler),
    queryService("2010-05-15", { actions: cloudFormationActions, ports: stackInfo }),
    queryService("2011-06-15", { actions: stsActions, ports: { clock, account, tokens } }),
  ];
  return { signed, open: restService(keyRoutes, tokens) };
}

/** Where the receiver of a token of `GetWebIdentityToken` finds the keys to verify it. */
const keyRoutes = [
  {
    method: "GET",
    path: /^\/\.well-known\/jwks\.json$/,
    answer: (_request: unknown, tokens: TokenSigner) => ({ body: tokens.jwks() }),
  },
] as const;
