import { coffeeSubscription } from "./scenarios/coffee-subscription.ts";
import { httpCaching } from "./scenarios/http-caching.ts";
import { photoSharing } from "./scenarios/photo-sharing.ts";
import { postgresHosting } from "./scenarios/postgres-hosting.ts";
import { shopYear } from "./scenarios/shop-year.ts";
import { slowCheckout } from "./scenarios/slow-checkout.ts";
import { smallLaunch } from "./scenarios/small-launch.ts";
import type { Scenario } from "./steps.ts";

const scenarios: readonly Scenario[] = [
  smallLaunch,
  postgresHosting,
  httpCaching,
  shopYear,
  coffeeSubscription,
  slowCheckout,
  photoSharing,
];

/** Ignores special words, case, punctuation and line breaks. */
const wordsOf = (text: string): string =>
  (
    text
      .replaceAll(/\[\[[^[\]]*\]\]/g, " ")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).join(" ");

const byPrompt = new Map(scenarios.map((scenario) => [wordsOf(scenario.prompt), scenario]));

/** The answer that was written for this message. `undefined`: there is none. */
export const scenarioFor = (text: string): Scenario | undefined => byPrompt.get(wordsOf(text));
