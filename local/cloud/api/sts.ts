import { generateKeyPairSync, randomUUID, sign, type KeyObject } from "node:crypto";
import * as z from "zod";
import type { CloudPorts } from "../ports.ts";
import { actionOf, type Actions } from "./protocols.ts";

type StsPorts = Pick<CloudPorts, "clock" | "account"> & { readonly tokens: TokenSigner };

const action = actionOf<StsPorts>("ValidationError");

/** All callers share this role, because there is only one credential. */
const roleName = "local";

/** STS's actions in the query protocol. Lists arrive as `Audience.member.1`. */
export const stsActions: Actions<StsPorts> = {
  GetCallerIdentity: action({
    request: z.object({}),
    answer: (_request, { account: { accountId } }) => ({
      UserId: "AROALOCAL:local",
      Account: accountId,
      Arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/local`,
    }),
  }),
  GetWebIdentityToken: action({
    request: z.object({
      Audience: z.array(z.string().min(1)).min(1).max(10),
      SigningAlgorithm: z.enum(["RS256", "ES384"]),
      DurationSeconds: z.coerce.number().min(60).max(3_600).default(300),
    }),
    answer: ({ Audience, SigningAlgorithm, DurationSeconds }, { clock, account, tokens }) => {
      const { accountId, region } = account;
      const issuedSeconds = Math.floor(clock.now() / 1_000);
      const expiresSeconds = issuedSeconds + DurationSeconds;
      const claims = {
        iss: tokens.issuer,
        aud: Audience.length === 1 ? Audience[0] : Audience,
        sub: `arn:aws:iam::${accountId}:role/${roleName}`,
        iat: issuedSeconds,
        exp: expiresSeconds,
        jti: randomUUID(),
        "https://sts.amazonaws.com/": { aws_account: accountId, source_region: region },
      };
      return {
        WebIdentityToken: tokens.sign(claims, SigningAlgorithm),
        Expiration: new Date(expiresSeconds * 1_000).toISOString(),
      };
    },
  }),
};

export type SigningAlgorithm = "RS256" | "ES384";

export interface TokenSigner {
  readonly issuer: string;
  /** Returns a signed JSON Web Token. */
  sign(claims: object, algorithm: SigningAlgorithm): string;
  /** The public keys in the format of `/.well-known/jwks.json`. */
  jwks(): object;
}

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const makers: Readonly<Record<SigningAlgorithm, () => Pair>> = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
};
const digests: Readonly<Record<SigningAlgorithm, string>> = { RS256: "sha256", ES384: "sha384" };

/** Signs with its own keys, which it creates on first use. */
export function createTokenSigner(issuer: string): TokenSigner {
  const pairs = new Map<SigningAlgorithm, Pair>();
  const pairOf = (algorithm: SigningAlgorithm): Pair => {
    const pair = pairs.get(algorithm) ?? makers[algorithm]();
    pairs.set(algorithm, pair);
    return pair;
  };
  return {
    issuer,
    sign(claims, algorithm) {
      const parts = [{ alg: algorithm, typ: "JWT", kid: `local-${algorithm}` }, claims];
      const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      const { privateKey: key } = pairOf(algorithm);
      const signature = sign(digests[algorithm], Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
      return `${text}.${signature.toString("base64url")}`;
    },
    jwks: () => ({
      keys: [...pairs].map(([alg, { publicKey }]) => ({
        ...publicKey.export({ format: "jwk" }),
        kid: `local-${alg}`,
        alg,
        use: "sig",
      })),
    }),
  };
}
