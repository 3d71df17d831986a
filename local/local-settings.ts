import { cannedModelName } from "../cli/canned-model.ts";
import type { SettingsInput } from "../infra/settings.ts";
import type { LocalOptions, RealModel } from "./options.ts";

export type StackSettings = SettingsInput & { readonly stackName: string };

/** The price of gpt-6-sol, at which a few jobs reach the smallest cap. */
const cannedPrice = { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.2, outputPerMillionUsd: 10 };

interface Chosen {
  readonly model: Pick<RealModel, "name" | "summaryName" | "store">;
  readonly addresses: { readonly studio: string | undefined; readonly model: string | undefined };
}

/** The settings of the stack that `npm start` builds. */
export function settingsOf(options: LocalOptions, { model, addresses }: Chosen): StackSettings {
  const { studio, model: baseUrl } = addresses;
  return {
    stackName: "Local",
    // The local Studio signs its account's owner in without a person.
    ...(studio === undefined
      ? {}
      : { studio: { baseUrl: studio, ...(options.studio ? {} : { signInUrl: studio }) } }),
    inference: {
      model: model.name,
      summaryModel: model.summaryName,
      store: model.store,
      ...(baseUrl === undefined ? {} : { baseUrl }),
    },
    // Gives canned answers the price of a real model, so that costs and caps can be tried out.
    spend: { prices: { [cannedModelName]: cannedPrice } },
    ...(options.feedUrl === undefined ? {} : { updates: { feedUrl: options.feedUrl } }),
    pools: [
      {
        name: "local",
        kind: "user",
        polling: options.once ? "economy" : "fast",
        concurrency: options.concurrency,
        ...(options.dailyCapUsd === undefined ? {} : { dailyCapUsd: options.dailyCapUsd }),
        ...(options.studio ? {} : { rotation: {} }),
      },
    ],
  };
}
