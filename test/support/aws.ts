import type { LocalCloud } from "../../local/cloud/local-cloud.ts";

/** For a client of a server that accepts every key: plain dynalite, or a test's own. */
export const anyone = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** For a client of a running local cloud. */
export const accountOf = ({
  endpointUrl,
  region,
  credentials,
}: Pick<LocalCloud, "endpointUrl" | "region" | "credentials">) => ({
  endpoint: endpointUrl,
  region,
  credentials,
});
