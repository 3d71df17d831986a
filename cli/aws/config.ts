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

export interface AwsConfig {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly credentials?: ReturnType<typeof fromNodeProviderChain> | LocalTarget["credentials"];
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/** For every client alike. */
export function toAwsConfig({ region, profile, local }: AwsTarget): AwsConfig {
  return {
    ...(region === undefined ? {} : { region }),
    ...local,
    ...(profile === undefined ? {} : { profile, credentials: fromNodeProviderChain({ profile }) }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000 },
  };
}
