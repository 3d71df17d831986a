import { inject } from "vitest";
import type { StackSettings } from "../../local/local-settings.ts";
import { synthesizeWithBundles } from "./bundles.ts";

type Pool = NonNullable<StackSettings["pools"]>[number];
type Build = (settings: StackSettings, outdir: string) => Promise<string>;

/** A scenario's `build` that uses the bundles of build-once.ts. */
export const build: Build = async (settings, outdir) =>
  synthesizeWithBundles(inject("bundledFile"), settings, outdir);

/** The same with the test's own settings; `pool` has fields of its only pool. */
export const buildWith =
  (more: Partial<StackSettings>, pool: Partial<Pool> = {}, how: Build = build): Build =>
  (settings, outdir) =>
    how({ ...settings, ...more, pools: settings.pools?.map((one) => ({ ...one, ...pool })) ?? [] }, outdir);
