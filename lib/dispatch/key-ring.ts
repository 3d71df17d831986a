import type { RunnerKey } from "../core/secret.ts";

export interface KeyRingSettings {
  readonly leasesPerKey: number | undefined;
  /** Leases that a key holds, according to the run store. */
  readonly heldBy: (keyId: string) => number;
  /** 0 (included) to 1 (excluded): chooses the first key, so that no key is last in every cycle. */
  readonly random: () => number;
}

/** Returns a pool's keys in turn, within the cap of leases per key, without those that Studio refused. */
export class KeyRing {
  readonly #settings: KeyRingSettings;
  readonly #refused = new Set<string>();
  readonly #asking = new Map<string, number>();
  #keys: readonly RunnerKey[];
  #turn: number;

  constructor(keys: readonly RunnerKey[], settings: KeyRingSettings) {
    this.#keys = keys;
    this.#settings = settings;
    this.#turn = Math.floor(settings.random() * keys.length);
  }

  /** Reserves a lease of a key until `giveBack`. */
  take(): RunnerKey | undefined {
    for (let tried = 0; tried < this.#keys.length; tried++) {
      const key = this.#keys[this.#turn++ % this.#keys.length];
      if (!key || !this.#mayLease(key)) continue;
      this.#asking.set(key.id, this.#askingWith(key) + 1);
      return key;
    }
    return undefined;
  }

  giveBack(key: RunnerKey): void {
    this.#asking.set(key.id, this.#askingWith(key) - 1);
  }

  refuse(key: RunnerKey): void {
    this.#refused.add(key.value.reveal());
  }

  /** Replaces the keys with the secret's newest ones. A refused key stays excluded while its value is the same. */
  replace(keys: readonly RunnerKey[]): void {
    this.#keys = keys;
  }

  hasUsable(): boolean {
    return this.#keys.some((key) => !this.#refused.has(key.value.reveal()));
  }

  /** Number of keys that Studio refused. */
  refusedCount(): number {
    return this.#keys.filter((key) => this.#refused.has(key.value.reveal())).length;
  }

  #mayLease(key: RunnerKey): boolean {
    if (this.#refused.has(key.value.reveal())) return false;
    const cap = this.#settings.leasesPerKey ?? Number.POSITIVE_INFINITY;
    return this.#settings.heldBy(key.id) + this.#askingWith(key) < cap;
  }

  #askingWith(key: RunnerKey): number {
    return this.#asking.get(key.id) ?? 0;
  }
}
