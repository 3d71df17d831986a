/** For the offline model, whose code is TypeScript. */
export declare const suggestions: Readonly<
  Record<"launch" | "hosting" | "caching" | "shop", { readonly name: string; readonly text: string }>
>;
