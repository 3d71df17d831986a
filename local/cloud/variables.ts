import type { FunctionResource } from "./resources.ts";

export interface VariablesOptions {
  readonly region: string;
  /** The address of the local cloud and the credentials to sign with. */
  readonly endpoints: Readonly<Record<string, string>>;
  /**
   * The user's values, which override all others: another Studio, another model, a proxy before an endpoint.
   */
  readonly overrides: Readonly<Record<string, string>>;
}

/**
 * All environment variables of a function's process, as on Lambda: the standard ones and the template's.
 * Inherits nothing from this process.
 */
export function variablesOf(fn: FunctionResource, options: VariablesOptions): Record<string, string> {
  const { region, endpoints, overrides } = options;
  const level = fn.log.level === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: fn.log.level };
  const logging = fn.log.format === "JSON" ? { AWS_LAMBDA_LOG_FORMAT: "JSON", ...level } : {};
  return {
    ...withoutOtherAddresses(fn.variables),
    ...endpoints,
    ...overrides,
    ...logging,
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: fn.log.group,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    LAMBDA_TASK_ROOT: fn.codeFolder,
    _HANDLER: fn.handler,
    HOME: "/nonexistent", // as on Lambda, so that the user's ~/.aws is not read
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: "/usr/local/bin:/usr/bin:/bin",
  };
}

/**
 * Removes the variables for FIPS and dual-stack endpoints, because the SDK refuses them with a given address.
 */
function withoutOtherAddresses(variables: Readonly<Record<string, string>>): Record<string, string> {
  const { AWS_USE_FIPS_ENDPOINT: _fips, AWS_USE_DUALSTACK_ENDPOINT: _dualStack, ...others } = variables;
  return others;
}
