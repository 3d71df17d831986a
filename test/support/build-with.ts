import { buildStack } from "../../local/build.ts";
import type { StackSettings } from "../../local/local-settings.ts";

type Pool = NonNullable<StackSettings["pools"]>[number];

/** A scenario's `build` with settings of the test's own; `pool` are fields of its one pool. */
export const buildWith =
  (more: Partial<StackSettings>, pool: Partial<Pool> = {}) =>
  (settings: StackSettings, outdir: string): Promise<string> => {
    const pools = settings.pools?.map((one) => ({ ...one, ...pool })) ?? [];
    const changed: StackSettings = { ...settings, ...more, pools };
    return buildStack(changed, outdir);
  };
