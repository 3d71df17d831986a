import * as z from "zod";
import type { SecretSource } from "../adapters/secrets-manager.ts";
import { unlessAborted, withTimeLimit, type Clock } from "../core/clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../core/errors.ts";
import { Secret, type RunnerKey } from "../core/secret.ts";

export interface SecretCache<T> {
  /**
   * The parsed value, at most `maxAgeMs` old. If it must be read again and Secrets Manager is throttled or out of reach,
   * or the new value is malformed, returns the last good value and tries again 30 s later: a mistake while rotating must
   * not stop runs whose key still works. A missing or forbidden secret is an error at once.
   */
  get(signal?: AbortSignal): Promise<T>;
  /**
   * Reads now, after a key was refused. Returns the last good value only if Secrets Manager is throttled or out of
   * reach; a malformed new value is an error here.
   */
  refresh(signal?: AbortSignal): Promise<T>;
}

export interface SecretCacheOptions<T> {
  readonly source: SecretSource;
  readonly clock: Clock;
  readonly secretId: string;
  /** `where` is the secret's name, for error messages. */
  readonly parse: (text: string, where: string) => T;
  readonly maxAgeMs?: number | undefined;
  /** Called when the last good value is used because the current one could not be read. */
  readonly onStale?: (error: RunnerError) => void;
}

const fiveMinutesMs = 300_000;
const readLimitMs = 10_000;
const pauseAfterFailureMs = 30_000;

type Tolerates = (error: unknown) => boolean;

const outOfReach: Tolerates = (error) => hasCode(error, "secrets_unavailable") && error.retryable;
const outOfReachOrMalformed: Tolerates = (error) => outOfReach(error) || hasCode(error, "secret_malformed");

/**
 * Caches one secret, read on first use and again when it is too old. Concurrent callers share one read (`refresh` also
 * joins a read in progress); a caller's signal ends only its own wait.
 */
export function createSecretCache<T>({
  source,
  clock,
  secretId,
  parse,
  maxAgeMs = fiveMinutesMs,
  onStale,
}: SecretCacheOptions<T>): SecretCache<T> {
  let good: { readonly value: T; readonly freshUntilMs: number } | undefined;
  let reading: Promise<T> | undefined;

  const readOnce = async (): Promise<T> => {
    const text = await readText({ source, clock, secretId });
    const value = parse(text, secretId);
    good = { value, freshUntilMs: clock.now() + maxAgeMs };
    return value;
  };

  const read = async (signal: AbortSignal | undefined, tolerates: Tolerates): Promise<T> => {
    signal?.throwIfAborted();
    reading ??= readOnce().finally(() => {
      reading = undefined;
    });
    try {
      return signal ? await unlessAborted(signal, reading) : await reading;
    } catch (error) {
      signal?.throwIfAborted();
      if (good === undefined || !tolerates(error)) throw error;
      good = { value: good.value, freshUntilMs: clock.now() + Math.min(maxAgeMs, pauseAfterFailureMs) };
      onStale?.(toRunnerError(error));
      return good.value;
    }
  };

  return {
    get: async (signal) =>
      good !== undefined && clock.now() < good.freshUntilMs
        ? good.value
        : read(signal, outOfReachOrMalformed),
    refresh: (signal) => read(signal, outOfReach),
  };
}

async function readText({
  source,
  clock,
  secretId,
}: Pick<SecretCacheOptions<unknown>, "source" | "clock" | "secretId">): Promise<string> {
  const limit = { clock, limitMs: readLimitMs, what: `reading the secret "${secretId}"` };
  try {
    return await withTimeLimit(limit, (signal) => source.read(secretId, signal));
  } catch (error) {
    if (!hasCode(error, "time_limit")) throw error;
    throw new RunnerError("secrets_unavailable", error.message, { retryable: true, cause: error });
  }
}

/** Placeholders in place of a secret. They match a whole value, or one half of a runner key. */
const placeholders: readonly RegExp[] = [
  /^(?:replace|change|fill|insert|set|paste)[-_ .]?(?:me|this|it|in|here|with.*)$/i,
  /^your[-_ ].*(?:key|token|secret|here)/i,
  /^(?:todo|tbd|fixme|null|undefined|placeholder)$/i,
  /^<.*>$/s,
  /^\$\{.*\}$/s,
  /^\{\{.*\}\}$/s,
  /^sk-(?:\.+|…|x{3,}|\*+|your.*)?$/i,
  /^(?:\.+|…|\*+|-+)$/,
  /^credentialid\.secret$/i,
];

/** Common mistakes. The first match is reported. */
const commonMistakes: readonly { readonly pattern: RegExp; readonly problem: string }[] = [
  { pattern: /^$/, problem: "is empty" },
  { pattern: /^(["'`]).*\1$/s, problem: "is wrapped in quotes; store it without them" },
  { pattern: /^[A-Z][A-Z0-9_]+=/, problem: "is a NAME=value line; store the value alone" },
  { pattern: /^bearer\s/i, problem: 'starts with "Bearer"; store the key alone' },
  { pattern: /\s/, problem: "has white space inside" },
  { pattern: /[^\x21-\x7e]/, problem: "has a character that a key cannot have" },
];

const keyListSchema = z.union([z.array(z.string()), z.looseObject({ keys: z.array(z.string()) })]);

/**
 * The runner keys of a pool: one `credentialId.secret`, or a JSON array of them, or `{ "keys": […] }`.
 * @param where the secret's name, for the error's sentence
 * @throws RunnerError `secret_malformed` naming the secret and every problem, never a value or a part of one
 */
export function parseRunnerKeys(text: string, where: string): readonly RunnerKey[] {
  const trimmed = text.trim();
  const list = /^[[{]/.test(trimmed) && !isPlaceholder(trimmed) ? parseKeyList(trimmed, where) : [trimmed];
  if (list.length === 0) throw malformed(where, "holds an empty list of runner keys");
  const keys = list.map((entry) => entry.trim());
  const problems = keys.flatMap((key, at) => {
    const problem = runnerKeyProblem(key) ?? duplicateProblem(keys, at);
    if (problem === undefined) return [];
    return keys.length === 1 ? [problem] : [`entry ${at + 1} of ${keys.length} ${problem}`];
  });
  if (problems.length > 0) throw malformed(where, problems.join("; "));
  return keys.map((key) => ({ id: credentialId(key), value: new Secret(key) }));
}

/**
 * The model provider's key: one plain text.
 * @param where the secret's name, for the error's sentence
 * @throws RunnerError `secret_malformed` naming the secret and the problem, never the value or a part of it
 */
export function parseModelKey(text: string, where: string): Secret {
  const key = text.trim();
  const problem =
    commonProblem(key) ?? (/^[[{]/.test(key) ? "is JSON; store the key alone as plain text" : undefined);
  if (problem !== undefined) throw malformed(where, problem);
  return new Secret(key);
}

function parseKeyList(text: string, where: string): readonly string[] {
  const result = keyListSchema.safeParse(parseJson(text, where));
  if (!result.success) {
    const shapes = 'a list of texts, ["id.secret", …], or an object { "keys": ["id.secret", …] }';
    throw malformed(where, `holds JSON, but not ${shapes}`);
  }
  return Array.isArray(result.data) ? result.data : result.data.keys;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the text.
    throw malformed(where, "starts like JSON, but is not");
  }
}

function runnerKeyProblem(key: string): string | undefined {
  const common = commonProblem(key);
  if (common !== undefined) return common;
  const parts = key.split(".");
  if (parts.length !== 2 || parts.includes("")) return "is not of the form credentialId.secret, with one dot";
  return parts.some(isPlaceholder) ? "is a placeholder; store the real key" : undefined;
}

function commonProblem(value: string): string | undefined {
  if (isPlaceholder(value)) return "is a placeholder; store the real key";
  return commonMistakes.find(({ pattern }) => pattern.test(value))?.problem;
}

function duplicateProblem(keys: readonly string[], at: number): string | undefined {
  const id = credentialId(keys[at] ?? "");
  const first = keys.findIndex((key) => credentialId(key) === id);
  return first < at ? `has the same credential id as entry ${first + 1}` : undefined;
}

function credentialId(key: string): string {
  return key.slice(0, key.indexOf("."));
}

function isPlaceholder(text: string): boolean {
  return placeholders.some((pattern) => pattern.test(text));
}

function malformed(where: string, problem: string): RunnerError {
  return new RunnerError("secret_malformed", `the secret "${where}" ${problem}`);
}
