import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
} from "@aws-sdk/client-iam";
import { generate } from "selfsigned";
import { closedPort } from "../support/free-port.ts";
import { eventually } from "../support/eventually.ts";

export const account = "123456789012";
export const region = "us-east-1";
/** The account's root user, as MiniStack knows it. Its signatures are not checked, those of all others are. */
export const credentials = { accessKeyId: "test", secretAccessKey: "test" };

export interface Emulator {
  readonly endpoint: string;
  /** What a user's shell needs to reach it instead of AWS. */
  readonly variables: Readonly<Record<string, string>>;
  /** The process of a function's invocation. */
  processOf(requestId: string): number;
  stop(): Promise<void>;
}

export interface Place {
  /** Of the suite's own environment. */
  readonly python: string;
  readonly logFile: string;
  /** For everything else. Deleted at the end, however this process ends. */
  readonly folder: string;
}

/** Starts MiniStack over TLS, with signatures and IAM policies enforced. */
export async function startEmulator({ python, logFile, folder }: Place): Promise<Emulator> {
  const [port, certificate] = [await closedPort(), await makeCertificate(folder)];
  const log = createWriteStream(logFile);
  await once(log, "open");
  const child = spawn(python, [join(import.meta.dirname, "emulator.py")], {
    // Functions get this environment too: nothing of the user's.
    env: {
      PATH: process.env["PATH"],
      TMPDIR: folder,
      GATEWAY_PORT: String(port),
      BIND_HOST: "127.0.0.1",
      MINISTACK_ACCOUNT_ID: account,
      MINISTACK_REGION: region,
      MINISTACK_HOST: "127.0.0.1",
      MINISTACK_SSL_CERT: certificate.certFile,
      MINISTACK_SSL_KEY: certificate.keyFile,
      USE_SSL: "1",
      AUTH: "true",
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
    },
    stdio: ["pipe", log, log],
  });
  const ended = once(child, "close");
  const endpoint = `https://127.0.0.1:${port}`;
  await eventually("MiniStack answers", async () => {
    if (child.exitCode !== null) throw new Error(`MiniStack ended with ${child.exitCode}: see ${logFile}`);
    return fetch(`${endpoint}/_ministack/health`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  });
  const key = await createAdministrator(endpoint);
  return {
    endpoint,
    variables: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: key?.AccessKeyId ?? "",
      AWS_SECRET_ACCESS_KEY: key?.SecretAccessKey ?? "",
      AWS_CA_BUNDLE: certificate.certFile,
      NODE_EXTRA_CA_CERTS: certificate.certFile,
    },
    processOf: (requestId) => {
      const line = new RegExp(`^invocation ${requestId} runs in process (\\d+)$`, "m");
      return Number(line.exec(readFileSync(logFile, "utf8"))?.[1]);
    },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** The access key of a new user, who may do everything. */
async function createAdministrator(endpoint: string) {
  const iam = new IAMClient({ region, endpoint, credentials });
  const user = { UserName: "administrator" };
  await iam.send(new CreateUserCommand(user));
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await iam.send(new AttachUserPolicyCommand({ ...user, PolicyArn }));
  return (await iam.send(new CreateAccessKeyCommand(user))).AccessKey;
}

/** A certificate for this machine, which this process then trusts. */
async function makeCertificate(folder: string) {
  const certFile = join(folder, "certificate.pem");
  const keyFile = join(folder, "key.pem");
  const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
  const extensions = [{ name: "subjectAltName" as const, altNames }];
  const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }], { extensions });
  await writeFile(certFile, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  setDefaultCACertificates([...getCACertificates("default"), cert]);
  return { certFile, keyFile };
}
