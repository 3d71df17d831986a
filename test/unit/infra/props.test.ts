import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { membersOf, renderApi } from "../../../infra/api-docs.ts";
import { propGroups, renderProps } from "../../../infra/props-docs.ts";
import type { StudioRunnerProps } from "../../../infra/props.ts";
import type { SettingsInput } from "../../../infra/settings.ts";

const props = propGroups().flatMap((group) =>
  group.props.map((prop) => ({ ...prop, path: `${group.name}.${prop.name}` })),
);

describe("the construct's props", () => {
  it("are the settings without the stack's name, for TypeScript too", () => {
    expectTypeOf<StudioRunnerProps>().toExtend<Omit<SettingsInput, "stackName">>();
    expectTypeOf<Omit<SettingsInput, "stackName">>().toExtend<StudioRunnerProps>();
  });

  it("are written from the settings' schema (update infra/props.ts with npm run api-docs)", () => {
    expect(readFileSync("infra/props.ts", "utf8")).toBe(renderProps());
  });

  it("have a meaning each, and a default unless they are required", () => {
    expect(props.length).toBeGreaterThan(80);
    expect(props.filter(({ meaning }) => meaning === "")).toEqual([]);
    expect(props.filter(({ isRequired, default: given }) => isRequired === (given !== undefined))).toEqual(
      [],
    );
    expect(props.filter(({ isRequired }) => isRequired).map(({ path }) => path)).toEqual([
      "PoolOptions.name",
      "PoolOptions.kind",
      "WorkloadIdentityOptions.identityProviderId",
      "WorkloadIdentityOptions.serviceAccountId",
      "PriceOptions.inputPerMillionUsd",
      "PriceOptions.cachedInputPerMillionUsd",
      "PriceOptions.outputPerMillionUsd",
      "NetworkOptions.subnetIds",
      "NetworkOptions.securityGroupIds",
      "UpdateOptions.feedUrl",
    ]);
  });

  it.each([
    ["PoolOptions.polling", '"balanced"'],
    ["PoolOptions.dailyCapUsd", "- no cap"],
    ["StudioRunnerProps.pools", '[{ name: "default", kind: "user" }]'],
    ["StudioRunnerProps.network", "- no VPC"],
    ["InferenceOptions.store", "true"],
    ["ProcessorOptions.memoryMb", "256"],
  ])("%s has the default %s", (path, expected) => {
    expect(props.find((prop) => prop.path === path)?.default).toBe(expected);
  });
});

describe("docs/api.md", () => {
  it("equals the text generated from the classes and the schema (update it with npm run api-docs)", () => {
    expect(readFileSync("docs/api.md", "utf8")).toBe(renderApi());
  });

  it("lists a class's public members that have a comment, without internal ones", () => {
    const source = `export class Box {
      /** How much
       *  fits in. */
      readonly size: number;
      readonly hidden = 1;
      /** Not for users. */
      #own = 2;
      /** @internal For the shelf. */
      stack(): void {}
      /** Fills it. */
      fill(what: string, { times = 1 } = {}): string { return what.repeat(times); }
    }`;
    expect(membersOf(source, "Box")).toEqual([
      { signature: "readonly size: number", meaning: "How much fits in." },
      { signature: "fill(what: string, { times = 1 } = {}): string", meaning: "Fills it." },
    ]);
  });
});
