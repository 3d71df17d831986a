import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

/** Where and as whom the AWS clients ask. Absent: what the SDK finds by itself (environment, profile, SSO). */
export interface AwsTarget {
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** The local stack's address in place of AWS. */
  readonly endpoint: string | undefined;
}

export interface AwsConfig {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly credentials?: ReturnType<typeof fromNodeProviderChain> | typeof localCredentials;
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

const localCredentials = { accessKeyId: "local", secretAccessKey: "local" } as const;

/** For every client alike. */
export function toAwsConfig({ region, profile, endpoint }: AwsTarget): AwsConfig {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, credentials: localCredentials }),
    ...(profile === undefined ? {} : { profile, credentials: fromNodeProviderChain({ profile }) }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000 },
  };
}
