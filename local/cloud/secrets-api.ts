import * as z from "zod";
import { ServiceError } from "./errors.ts";
import type { SecretStore, StoredSecret } from "./secrets.ts";

/** Secrets Manager's JSON 1.1 actions: a request's fields in, an answer's fields out. */
export type SecretsApi = (action: string, body: unknown) => object;

const id = z.string().min(1);

interface Action<T> {
  readonly request: z.ZodType<T>;
  readonly answer: (request: T, store: SecretStore) => object;
}

/** Keeps a row's request type together with its answer. */
const action =
  <T>({ request, answer }: Action<T>) =>
  (body: unknown, store: SecretStore): object => {
    const parsed = request.safeParse(body);
    if (!parsed.success) throw new ServiceError("InvalidParameterException", z.prettifyError(parsed.error));
    return answer(parsed.data, store);
  };

const versionSchema = z.object({
  SecretId: id,
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const putSchema = z.object({
  SecretId: id,
  SecretString: z.string("only SecretString is kept locally"),
  ClientRequestToken: z.string().optional(),
  VersionStages: z.array(z.string()).optional(),
});
const moveSchema = z.object({
  SecretId: id,
  VersionStage: z.string(),
  MoveToVersionId: z.string().optional(),
  RemoveFromVersionId: z.string().optional(),
});

const actions: Readonly<Record<string, (body: unknown, store: SecretStore) => object>> = {
  GetSecretValue: action({
    request: versionSchema,
    answer: ({ SecretId, VersionId, VersionStage }, store) => {
      const { secret, versionId, version } = store.get(SecretId, {
        versionId: VersionId,
        stage: VersionStage,
      });
      return {
        ...identity(secret),
        VersionId: versionId,
        SecretString: version.value,
        VersionStages: [...version.stages],
        CreatedDate: version.createdMs / 1000,
      };
    },
  }),
  PutSecretValue: action({
    request: putSchema,
    answer: ({ SecretId, SecretString, ClientRequestToken, VersionStages }, store) => {
      const version = { value: SecretString, versionId: ClientRequestToken, stages: VersionStages };
      const stored = store.put(SecretId, version);
      return {
        ...identity(stored.secret),
        VersionId: stored.versionId,
        VersionStages: [...stored.version.stages],
      };
    },
  }),
  UpdateSecretVersionStage: action({
    request: moveSchema,
    answer: ({ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId }, store) =>
      identity(
        store.moveStage(SecretId, {
          stage: VersionStage,
          toVersion: MoveToVersionId,
          fromVersion: RemoveFromVersionId,
        }),
      ),
  }),
  DescribeSecret: action({
    request: z.object({ SecretId: id }),
    answer: ({ SecretId }, store) => {
      const secret = store.find(SecretId);
      const staged = [...secret.versions].filter(([, { stages }]) => stages.size > 0);
      return {
        ...identity(secret),
        VersionIdsToStages: Object.fromEntries(
          staged.map(([versionId, { stages }]) => [versionId, [...stages]]),
        ),
      };
    },
  }),
  ListSecretVersionIds: action({
    request: z.object({ SecretId: id, IncludeDeprecated: z.boolean().default(false) }),
    answer: ({ SecretId, IncludeDeprecated }, store) => {
      const secret = store.find(SecretId);
      const versions = [...secret.versions].filter(([, { stages }]) => IncludeDeprecated || stages.size > 0);
      return {
        ...identity(secret),
        Versions: versions.map(([versionId, { stages, createdMs }]) => ({
          VersionId: versionId,
          VersionStages: [...stages],
          CreatedDate: createdMs / 1000,
        })),
      };
    },
  }),
};

const identity = ({ name, arn }: StoredSecret): object => ({ ARN: arn, Name: name });

/** @throws ServiceError in Secrets Manager's words */
export const createSecretsApi =
  (store: SecretStore): SecretsApi =>
  (name, body) => {
    const run = actions[name];
    if (run === undefined)
      throw new ServiceError("UnknownOperationException", `${name} does not run locally.`);
    return run(body, store);
  };
