import { parseSettings, type Settings } from "../settings.ts";

/**
 * CloudFormation documents no limit for an output's value. This is the one for parameters and custom
 * resources.
 */
export const maxSettingsBytes = 4096;

/**
 * The settings as JSON for the stack's output: complete, so that a later version with other defaults reads
 * what was deployed. If that is too long, which happens with many pools, values equal to today's defaults are
 * left out. `parseSettings` accepts both.
 */
export function settingsText(settings: Settings, toJson: (value: unknown) => string): string {
  const whole = Buffer.byteLength(JSON.stringify(settings)) <= maxSettingsBytes;
  return toJson(whole ? settings : withoutDefaults(settings));
}

function withoutDefaults({ pools, ...others }: Settings): unknown {
  const { pools: _, ...defaults } = parseSettings({});
  return {
    ...difference(others, defaults),
    pools: pools.map((pool) => {
      const { name, kind } = pool;
      const plain = parseSettings({ pools: [{ name, kind }] }).pools[0];
      return { name, kind, ...difference(pool, plain) };
    }),
  };
}

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The values of `given` that differ from `base`, at any depth. */
function difference(given: object, base: unknown): Tree {
  const known: Tree = isTree(base) ? base : {};
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
      if (!isTree(value)) return value === known[name] ? [] : [[name, value]];
      const inner = difference(value, known[name]);
      return Object.keys(inner).length === 0 ? [] : [[name, inner]];
    }),
  );
}
