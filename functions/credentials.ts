/**
 * Stands in for `@aws-sdk/credential-provider-node` in the bundles (infra/build-functions.ts). Lambda gives a function its
 * credentials as variables and nowhere else: profiles, SSO, STS and metadata services need not be carried or loaded.
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-providers";
