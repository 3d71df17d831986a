import { Token } from "aws-cdk-lib";
import * as z from "zod";

/** The parts of which the settings' schemas are made. Each says in its error what to give instead. */

export const text = (hint: string, pattern: RegExp = /^\S(?:.*\S)?$/) =>
  z.string({ error: hint }).regex(pattern, { error: hint });

export const whole = (min: number, max: number, unit = "") => {
  const hint = `Give a whole number from ${min} to ${max}${unit}.`;
  return z.int({ error: hint }).min(min, { error: hint }).max(max, { error: hint });
};

export const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `Give one of: ${values.join(", ")}.` });

export const object = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? undefined : "Give an object."),
  });

const loopbackHosts: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];
export const baseUrl = () => {
  const hint =
    "Give an https:// address without query, user or trailing slash (http:// only for this machine).";
  return z.string({ error: hint }).refine(isBaseUrl, { error: hint });
};

function isBaseUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || value.endsWith("/") || url.search || url.hash || url.username || url.password)
    return false;
  return isSafelyReached(url);
}

export const isSafelyReached = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && loopbackHosts.includes(hostname));

/** A complete ARN or id, or a reference to one in the same CDK app. */
export const identifier = (hint: string, pattern: RegExp) =>
  z
    .string({ error: hint })
    .refine((value) => Token.isUnresolved(value) || pattern.test(value), { error: hint });

/**
 * A complete ARN with the suffix that Secrets Manager appends, so that a role can name the secret without a
 * wildcard.
 */
export const secretArn = () =>
  identifier(
    "Give the secret's complete ARN with its last six characters: arn:aws:secretsmanager:<region>:<account>:secret:<name>-AbCdEf.",
    /^arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
  );

export const tableArn = () =>
  identifier(
    "Give the table's complete ARN: arn:aws:dynamodb:<region>:<account>:table/<name>.",
    /^arn:aws[\w-]*:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255}$/,
  );
