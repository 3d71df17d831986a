const redacted = "[redacted]";

/** A secret value that cannot reach a log, an error or JSON by accident: only `reveal()` returns it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Call this only where the value is sent to its owner, as in an Authorization header. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return redacted;
  }
}

/** One runner API key, `credentialId.secret`. `id` is the credential id, which may be logged and stored. */
export interface RunnerKey {
  readonly id: string;
  readonly value: Secret;
}

/** Removes a credential from a server's text, which may echo what it was sent. */
export type Redact = (text: string) => string;

/** Shorter parts of a key are not searched for: they would match ordinary words. */
const minSearchLength = 6;
/** A key that was cut short is found by its first characters, if it has at least this length. */
const minTruncatedLength = 16;
const prefixLength = 8;

/** The whole credential and the part after its first dot; each also if it was cut short. */
export function redactor(credential: string): Redact {
  const secrets = [credential, credential.slice(credential.indexOf(".") + 1)].filter(
    (secret) => secret.length >= minSearchLength,
  );
  return (text) => secrets.reduce(hide, text);
}

function hide(text: string, secret: string): string {
  const rest = text.replaceAll(secret, redacted);
  if (secret.length < minTruncatedLength) return rest;
  const [before = "", ...behind] = rest.split(secret.slice(0, prefixLength));
  return [before, ...behind.map((part) => part.replace(/^[^\s"'<>&]*/, redacted))].join("");
}
