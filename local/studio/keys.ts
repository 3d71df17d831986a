import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import type { RunnerKind } from "../../lib/studio/studio.ts";
import { Refusal } from "./http.ts";

/**
 * A new instance with its key, in the format of `/createRunnerInstance`. `runnerToken` is not stored anywhere
 * else.
 */
export interface NewRunnerInstance {
  readonly instanceId: string;
  readonly credentialId: string;
  readonly runnerToken: string;
  readonly kind: RunnerKind;
  readonly name: string;
}

export interface Credential {
  readonly credentialId: string;
  readonly kind: RunnerKind;
}

export interface Keys {
  readonly create: (kind: RunnerKind, name?: string) => NewRunnerInstance;
  /** @throws Refusal 404 for an unknown instance */
  readonly revoke: (instanceId: string) => void;
  /** @throws Refusal 404 for an unknown or revoked instance */
  readonly rename: (instanceId: string, name: string) => void;
  /** @throws Refusal 401 for a missing, malformed, unknown or revoked key */
  readonly authenticate: (authorization: string | undefined) => Credential;
}

/**
 * One SHA-256 is enough: the secret is 32 random bytes, so a dictionary attack is impossible, and it is
 * checked on every call.
 */
const hash = (secret: string): string => createHash("sha256").update(secret).digest("hex");

const sameText = (left: string, right: string): boolean => timingSafeEqual(digest(left), digest(right));
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

const rowSchema = z.object({
  credentialId: z.string(),
  kind: z.enum(["user", "global"]),
  secretHash: z.string(),
  revokedAtMs: z.number().nullable(),
});

export const bearer = (authorization: string | undefined): string | undefined =>
  /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];

/** @throws Refusal 401 unless the header contains exactly the account's token */
export function checkAccountToken(authorization: string | undefined, accountToken: string): void {
  const token = bearer(authorization);
  if (token === undefined || !sameText(token, accountToken))
    throw new Refusal(401, "the account token is missing or not valid");
}

function requireChange(changes: number | bigint): void {
  if (Number(changes) === 0) throw new Refusal(404, "there is no such runner instance");
}

export function createKeys(database: DatabaseSync, clock: Clock): Keys {
  const insert = database.prepare(
    "INSERT INTO credentials (credentialId, instanceId, kind, name, secretHash, createdAtMs) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const find = database.prepare("SELECT * FROM credentials WHERE credentialId = ?");
  const revoke = database.prepare(
    "UPDATE credentials SET revokedAtMs = coalesce(revokedAtMs, ?) WHERE instanceId = ?",
  );
  const rename = database.prepare(
    "UPDATE credentials SET name = ? WHERE instanceId = ? AND revokedAtMs IS NULL",
  );
  return {
    create(kind, name = "runner") {
      const secret = randomBytes(32).toString("base64url");
      const credentialId = `cred_${randomBytes(9).toString("hex")}`;
      const instanceId = randomUUID();
      insert.run(credentialId, instanceId, kind, name, hash(secret), clock.now());
      return { instanceId, credentialId, runnerToken: `${credentialId}.${secret}`, kind, name };
    },
    revoke: (instanceId) => requireChange(revoke.run(clock.now(), instanceId).changes),
    rename: (instanceId, name) => requireChange(rename.run(name, instanceId).changes),
    authenticate(authorization) {
      const [credentialId = "", secret = "", ...rest] = (bearer(authorization) ?? "").split(".");
      const row = rowSchema.optional().parse(find.get(credentialId));
      const valid = row !== undefined && rest.length === 0 && sameText(row.secretHash, hash(secret));
      if (!valid) throw new Refusal(401, "the runner key is missing or not known");
      if (row.revokedAtMs !== null) throw new Refusal(401, "the runner key is revoked");
      return { credentialId: row.credentialId, kind: row.kind };
    },
  };
}
