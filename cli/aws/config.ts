import { CliError, toCliError } from "../errors.ts";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

/**
 * The account and region that the AWS clients use. Absent fields: the SDK's default (environment, profile,
 * SSO).
 */
export interface AwsTarget {
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** The local stack, used instead of AWS. */
  readonly local: LocalTarget | undefined;
}

export interface LocalTarget {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Credentials and region for the AWS clients. */
export interface AwsAccount {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly credentials?: ReturnType<typeof fromNodeProviderChain> | LocalTarget["credentials"];
}

export interface AwsConfig extends AwsAccount {
  readonly maxAttempts: number;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: boolean;
  };
}

/** The configuration that all clients of this folder share. Those of lib/adapters/ have their own limits. */
export const toAwsConfig = (account: AwsAccount): AwsConfig => ({
  ...account,
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
});

/** @throws CliError `no_credentials`, which names the profile */
function credentialsOf(profile: string): ReturnType<typeof fromNodeProviderChain> {
  const provide = fromNodeProviderChain({ profile });
  return async (properties) => {
    try {
      return await provide(properties);
    } catch (cause) {
      const { code, message, remedy = "" } = toCliError(cause);
      if (code !== "no_credentials") throw cause;
      throw new CliError(code, `The profile ${profile} gives no credentials: ${message}`, { remedy, cause });
    }
  };
}

export function toAwsAccount({ region, profile, local }: AwsTarget): AwsAccount {
  return {
    ...(region === undefined ? {} : { region }),
    ...local,
    ...(profile === undefined ? {} : { profile, credentials: credentialsOf(profile) }),
  };
}
