import { randomUUID } from "node:crypto";
import type { Clock } from "../../lib/core/clock.ts";
import { CloudError, ServiceError } from "./errors.ts";
import type { SecretResource } from "./resources.ts";

interface Version {
  /** Undefined: a version without a value, as a rotation creates it. */
  readonly value: string | undefined;
  readonly createdMs: number;
  readonly stages: Set<string>;
}

type FilledVersion = Version & { readonly value: string };

export interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly versions: Map<string, Version>;
}

export interface FoundVersion {
  readonly secret: StoredSecret;
  readonly versionId: string;
  readonly version: FilledVersion;
}

export interface NewVersion {
  readonly value: string;
  /** The caller's ClientRequestToken. */
  readonly versionId?: string | undefined;
  readonly stages?: readonly string[] | undefined;
}

export interface StageMove {
  readonly stage: string;
  readonly toVersion?: string | undefined;
  readonly fromVersion?: string | undefined;
}

/** Secrets Manager's secrets and stages, in memory. `id` is a name, an ARN or a logical id. */
export interface SecretStore {
  /** @throws ServiceError `ResourceNotFoundException` */
  find(id: string): StoredSecret;
  /** @throws ServiceError `ResourceNotFoundException` */
  get(
    id: string,
    which?: { readonly versionId?: string | undefined; readonly stage?: string | undefined },
  ): FoundVersion;
  /** @throws ServiceError `ResourceNotFoundException`, `ResourceExistsException` */
  put(id: string, version: NewVersion): FoundVersion;
  /** @throws ServiceError `ResourceNotFoundException`, `InvalidParameterException` */
  moveStage(id: string, move: StageMove): StoredSecret;
  /** Adds a version without a value and stages it as AWSPENDING. Does nothing if the version exists. */
  reserve(id: string, versionId: string): void;
}

const missingSecret = "Secrets Manager can't find the specified secret.";
const missingValue = "Secrets Manager can't find the specified secret value for";

export function createSecretStore(resources: readonly SecretResource[], clock: Clock): SecretStore {
  const secrets = resources.map(({ logicalId, name, arn }) => ({
    logicalId,
    name,
    arn,
    versions: new Map<string, Version>(),
  }));

  function find(id: string): StoredSecret {
    // Secrets Manager also accepts an ARN without its six random characters.
    const found = secrets.find(
      ({ logicalId, name, arn }) =>
        [logicalId, name, arn].includes(id) || arn.replace(/-[A-Za-z0-9]{6}$/, "") === id,
    );
    if (found === undefined) throw new ServiceError("ResourceNotFoundException", missingSecret);
    return found;
  }

  const store: SecretStore = {
    find,
    get(id, { versionId, stage } = {}) {
      const secret = find(id);
      const label = stage ?? (versionId === undefined ? "AWSCURRENT" : undefined);
      const found = [...secret.versions].find(
        ([candidate, version]) =>
          (versionId === undefined || candidate === versionId) &&
          (label === undefined || version.stages.has(label)),
      );
      if (found !== undefined && isFilled(found[1]))
        return { secret, versionId: found[0], version: found[1] };
      const what = label === undefined ? `VersionId: ${versionId}` : `staging label: ${label}`;
      throw new ServiceError("ResourceNotFoundException", `${missingValue} ${what}`);
    },
    put: (id, version) => put(find(id), version, clock.now()),
    moveStage: (id, move) => moveStage(find(id), move),
    reserve(id, versionId) {
      const secret = find(id);
      if (secret.versions.has(versionId)) return;
      secret.versions.set(versionId, { value: undefined, createdMs: clock.now(), stages: new Set() });
      attach(secret, "AWSPENDING", versionId);
    },
  };
  for (const { name, initialValue } of resources) {
    if (initialValue !== undefined) store.put(name, { value: initialValue });
  }
  return store;
}

function put(
  secret: StoredSecret,
  { value, versionId = randomUUID(), stages = ["AWSCURRENT"] }: NewVersion,
  nowMs: number,
): FoundVersion {
  const existing = secret.versions.get(versionId);
  const version = fill(existing, value, nowMs);
  // The request repeats the same value, so it is ignored, including its stages.
  if (version === existing) return { secret, versionId, version };
  const isFirst = secret.versions.size === 0;
  secret.versions.set(versionId, version);
  for (const stage of isFirst ? ["AWSCURRENT", ...stages] : stages) attach(secret, stage, versionId);
  return { secret, versionId, version };
}

/** @throws ServiceError `ResourceExistsException` if the version has another value */
function fill(existing: Version | undefined, value: string, nowMs: number): FilledVersion {
  if (existing === undefined) return { value, createdMs: nowMs, stages: new Set() };
  if (!isFilled(existing)) return { ...existing, value };
  if (existing.value === value) return existing;
  const sentence = "You tried to create a new version of a secret with an ID that is already in use.";
  throw new ServiceError("ResourceExistsException", sentence);
}

const isFilled = (version: Version): version is FilledVersion => version.value !== undefined;

/** Moves a stage to a version. The version that loses AWSCURRENT gets AWSPREVIOUS. */
function attach(secret: StoredSecret, stage: string, versionId: string): void {
  const former = holderOf(secret, stage);
  if (former === versionId) return;
  if (former !== undefined) secret.versions.get(former)?.stages.delete(stage);
  secret.versions.get(versionId)?.stages.add(stage);
  if (stage === "AWSCURRENT" && former !== undefined) attach(secret, "AWSPREVIOUS", former);
}

export const holderOf = (secret: StoredSecret, stage: string): string | undefined =>
  [...secret.versions].find(([, { stages }]) => stages.has(stage))?.[0];

function moveStage(secret: StoredSecret, { stage, toVersion, fromVersion }: StageMove): StoredSecret {
  const holder = holderOf(secret, stage);
  if (toVersion !== undefined && !secret.versions.has(toVersion)) {
    throw new ServiceError("ResourceNotFoundException", `${missingValue} VersionId: ${toVersion}`);
  }
  const refusal = refusalOf({ stage, toVersion, fromVersion }, holder);
  if (refusal !== undefined) throw new ServiceError("InvalidParameterException", refusal);
  if (toVersion !== undefined) attach(secret, stage, toVersion);
  else if (holder !== undefined) secret.versions.get(holder)?.stages.delete(stage);
  // As in Secrets Manager, a version that becomes current by a move is no longer pending.
  if (stage === "AWSCURRENT") secret.versions.get(toVersion ?? "")?.stages.delete("AWSPENDING");
  return secret;
}

/**
 * The error for a move. RemoveFromVersionId must name the present holder, even if the stage is already at its
 * target.
 */
function refusalOf(
  { stage, toVersion, fromVersion }: StageMove,
  holder: string | undefined,
): string | undefined {
  if (fromVersion !== undefined && fromVersion !== holder)
    return `When you move staging label ${stage}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${stage}.`;
  if (stage === "AWSCURRENT" && toVersion === undefined)
    return "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.";
  if (holder !== undefined && holder !== toVersion && fromVersion === undefined)
    return `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`;
  return undefined;
}

/**
 * The template's secrets with the given values. A key of `values` is a logical id, a name or an ARN; `*`
 * matches any characters. A key without `*` that is not in the template becomes a secret outside it.
 * @throws CloudError for a pattern that matches nothing
 */
export function withValues(
  resources: readonly SecretResource[],
  values: Readonly<Record<string, string>>,
): readonly SecretResource[] {
  const filled = new Map(resources.map((resource) => [resource.logicalId, resource]));
  for (const [key, initialValue] of Object.entries(values)) {
    const escaped = key.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    const pattern = new RegExp(`^${escaped}$`);
    const matching = resources.filter(({ logicalId, name, arn }) =>
      [logicalId, name, arn].some((id) => pattern.test(id)),
    );
    for (const resource of matching) filled.set(resource.logicalId, { ...resource, initialValue });
    if (matching.length > 0) continue;
    if (key.includes("*")) throw new CloudError(`no secret of the template matches "${key}"`);
    filled.set(key, { logicalId: key, name: key.replace(/^arn:.*:secret:/, ""), arn: key, initialValue });
  }
  return [...filled.values()];
}
