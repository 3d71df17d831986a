import type { AwsAccess } from "../../lib/aws-json.ts";

/** To a server that takes every key: dynalite by itself, or a test's own. For a running local cloud see its `env`. */
export const localAccess = (url: string, region = "us-east-1"): AwsAccess => ({
  url,
  region,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
