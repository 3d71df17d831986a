import type { RunnerKey } from "../core/secret.ts";

export interface KeyRingSettings {
  readonly leasesPerKey: number | undefined;
  /** Leases that a key holds in the run store. */
  readonly heldBy: (keyId: string) => number;
  /** 0 (included) to 1 (excluded): which key begins, so that none is asked last in every cycle. */
  readonly random: () => number;
}

/** Hands out a pool's keys in turn, within the cap of leases per key, leaving out those that Studio refused. */
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

  /** Takes a place of a key until `giveBack`. */
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

  /** The secret's newest keys; one that was refused stays out for as long as its value is the same. */
  replace(keys: readonly RunnerKey[]): void {
    this.#keys = keys;
  }

  hasUsable(): boolean {
    return this.#keys.some((key) => !this.#refused.has(key.value.reveal()));
  }

  /** Keys of the secret that Studio refused. */
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
