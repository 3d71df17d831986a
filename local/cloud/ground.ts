import { join, resolve } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { startDatabase, type Database } from "./database.ts";
import { openEndpoints, type Endpoints } from "./endpoints.ts";
import type { CloudEvent, Emit } from "./events.ts";
import type { CloudOptions } from "./local-cloud.ts";
import type { Stack } from "./resources.ts";
import { readStack, type Account } from "./template.ts";
import { startWarden, type Warden } from "./warden.ts";

const accountId = "000000000000";

/** What lives outside this process's memory, and has to be given back; and the stack that was read for it. */
export interface Ground {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Everything that happens from now on. */
  readonly observe: (observer: (event: CloudEvent) => void) => void;
  readonly account: Account;
  readonly stack: Stack;
  readonly warden: Warden;
  readonly endpoints: Endpoints;
  readonly database: Database | undefined;
  /** The AWS endpoint variables. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws CloudError, TemplateError, with nothing left open */
export async function openGround(options: CloudOptions): Promise<Ground> {
  const { clock, region = "us-east-1", onEvent } = options;
  const observers: ((event: CloudEvent) => void)[] = onEvent === undefined ? [] : [onEvent];
  const emit: Emit = (event) => {
    const whole = { ...event, atMs: clock.now() };
    for (const observer of observers) observer(whole);
  };
  const endpoints = await openEndpoints();
  const account = { region, accountId, endpointUrl: endpoints.url };
  const warden = startWarden();
  try {
    const stack = readStack(resolve(options.templateFile), account);
    const common = { clock, emit, account, stack, warden, endpoints };
    const database = await openDatabase(options, common);
    const env = environmentOf(endpoints.url, database);
    return { ...common, observe: (observer) => void observers.push(observer), database, env };
  } catch (error) {
    await Promise.all([endpoints.close(), warden.close()]);
    throw error;
  }
}

type Common = Pick<Ground, "clock" | "emit" | "account" | "stack" | "warden">;

async function openDatabase({ dataDir }: CloudOptions, common: Common): Promise<Database | undefined> {
  const { clock, emit, account, stack, warden } = common;
  if (stack.tables.length === 0) return undefined;
  return startDatabase({
    clock,
    warden,
    region: account.region,
    accountId,
    folder: dataDir === undefined ? undefined : join(dataDir, "dynamodb"),
    tables: stack.tables,
    onEnded: (how) => emit({ kind: "database-ended", how }),
  });
}

/** One address for all; DynamoDB's own saves its callers the way through ours. */
function environmentOf(url: string, database: Database | undefined): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    ...(database === undefined ? {} : { AWS_ENDPOINT_URL_DYNAMODB: database.url }),
  };
}

export async function closeGround({ endpoints, database, warden }: Ground): Promise<void> {
  await Promise.all([endpoints.close(), database?.close()]);
  await warden.close();
}
