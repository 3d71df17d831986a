import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

/** Where and as whom the AWS clients ask. Absent: what the SDK finds by itself (environment, profile, SSO). */
export interface AwsTarget {
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** The local stack in place of AWS. */
  readonly local: LocalTarget | undefined;
}

export interface LocalTarget {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** As whom and where the clients ask. */
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

/** For the clients of this folder alike; those of lib/adapters/ have limits of their own. */
export const toAwsConfig = (account: AwsAccount): AwsConfig => ({
  ...account,
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
});

export function toAwsAccount({ region, profile, local }: AwsTarget): AwsAccount {
  return {
    ...(region === undefined ? {} : { region }),
    ...local,
    ...(profile === undefined ? {} : { profile, credentials: fromNodeProviderChain({ profile }) }),
  };
}
