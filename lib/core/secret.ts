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
