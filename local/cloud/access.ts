import type { AwsAccess } from "../../lib/aws-json.ts";

/** To a service of the local cloud, which takes every key. */
export const localAccess = (url: string, region = "us-east-1"): AwsAccess => ({
  url,
  region,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
