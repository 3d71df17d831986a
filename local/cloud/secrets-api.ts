import * as z from "zod";
import { actionOf, type Actions } from "./api/protocols.ts";
import type { CloudPorts } from "./ports.ts";
import type { StoredSecret } from "./secrets.ts";

type SecretPorts = Pick<CloudPorts, "secrets" | "rotations">;

const id = z.string().min(1);
const action = actionOf<SecretPorts>("InvalidParameterException");

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const longestValueBytes = 65_536;

const versionSchema = z.object({
  SecretId: id,
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const putSchema = z.object({
  SecretId: id,
  SecretString: z
    .string("only SecretString is kept locally")
    .min(1, "SecretString must not be empty")
    .refine(
      (text) => Buffer.byteLength(text) <= longestValueBytes,
      "SecretString is longer than 65536 bytes",
    ),
  ClientRequestToken: z.string().optional(),
  VersionStages: z.array(z.string()).optional(),
});
const moveSchema = z.object({
  SecretId: id,
  VersionStage: z.string(),
  MoveToVersionId: z.string().optional(),
  RemoveFromVersionId: z.string().optional(),
});

const rotateSchema = z.object({
  SecretId: id,
  ClientRequestToken: z.string().optional(),
  RotationLambdaARN: z.string().optional(),
  RotationRules: z
    .object({ AutomaticallyAfterDays: z.number().optional(), ScheduleExpression: z.string().optional() })
    .optional(),
  RotateImmediately: z.boolean().default(true),
});

/** Secrets Manager's JSON 1.1 actions. */
export const secretsActions: Actions<SecretPorts> = {
  GetSecretValue: action({
    request: versionSchema,
    answer: ({ SecretId, VersionId, VersionStage }, { secrets }) => {
      const { secret, versionId, version } = secrets.get(SecretId, {
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
    answer: ({ SecretId, SecretString, ClientRequestToken, VersionStages }, { secrets }) => {
      const version = { value: SecretString, versionId: ClientRequestToken, stages: VersionStages };
      const stored = secrets.put(SecretId, version);
      return {
        ...identity(stored.secret),
        VersionId: stored.versionId,
        VersionStages: [...stored.version.stages],
      };
    },
  }),
  UpdateSecretVersionStage: action({
    request: moveSchema,
    answer: ({ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId }, { secrets }) =>
      identity(
        secrets.moveStage(SecretId, {
          stage: VersionStage,
          toVersion: MoveToVersionId,
          fromVersion: RemoveFromVersionId,
        }),
      ),
  }),
  DescribeSecret: action({
    request: z.object({ SecretId: id }),
    answer: ({ SecretId }, { secrets, rotations }) => {
      const secret = secrets.find(SecretId);
      const staged = [...secret.versions].filter(([, { stages }]) => stages.size > 0);
      return {
        ...identity(secret),
        ...rotations.describe(secret),
        VersionIdsToStages: Object.fromEntries(
          staged.map(([versionId, { stages }]) => [versionId, [...stages]]),
        ),
      };
    },
  }),
  RotateSecret: action({
    request: rotateSchema,
    answer: (
      { SecretId, ClientRequestToken, RotationLambdaARN, RotationRules, RotateImmediately },
      ports,
    ) => {
      const secret = ports.secrets.find(SecretId);
      const versionId = ports.rotations.start(secret, {
        token: ClientRequestToken,
        functionArn: RotationLambdaARN,
        rules: RotationRules,
        now: RotateImmediately,
      });
      return { ...identity(secret), VersionId: versionId };
    },
  }),
  CancelRotateSecret: action({
    request: z.object({ SecretId: id }),
    answer: ({ SecretId }, { secrets, rotations }) => {
      const secret = secrets.find(SecretId);
      const pending = rotations.cancel(secret);
      return { ...identity(secret), VersionId: pending };
    },
  }),
  ListSecretVersionIds: action({
    request: z.object({ SecretId: id, IncludeDeprecated: z.boolean().default(false) }),
    answer: ({ SecretId, IncludeDeprecated }, { secrets }) => {
      const secret = secrets.find(SecretId);
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
