import type { LocalCloud } from "../../local/cloud/local-cloud.ts";

/** For a client that asks a server which takes every key: dynalite by itself, or a test's own. */
export const anyone = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** For a client that asks a running local cloud. */
export const accountOf = ({
  endpointUrl,
  region,
  credentials,
}: Pick<LocalCloud, "endpointUrl" | "region" | "credentials">) => ({
  endpoint: endpointUrl,
  region,
  credentials,
});
