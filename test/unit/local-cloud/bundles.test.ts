import { expect, it } from "vitest";
import { call, useCloud } from "./fixture.ts";

const watched = useCloud({
  functions: {
    BrokenA1B2C3D4: { source: `import "left-pad"; export const handler = async () => 1;` },
    AboveA1B2C3D4: { source: `import "zod"; export const handler = async () => 1;` },
    SdkA1B2C3D4: {
      source: `import { LambdaClient } from "@aws-sdk/client-lambda"; export const handler = async () => typeof LambdaClient;`,
    },
    NamelessA1B2C3D4: { source: `export const other = 1;` },
    CallbackA1B2C3D4: { source: `export const handler = (event, context, callback) => callback(null, 1);` },
    SyntaxA1B2C3D4: { source: `export const handler = async () => {` },
    QuitterA1B2C3D4: { source: `process.exit(3);` },
    CommonA1B2C3D4: { source: `exports.handler = async () => "common";`, file: "index.js" },
  },
});

it.each([
  ["a package that does not exist", "BrokenA1B2C3D4", "Runtime.ImportModuleError", "left-pad"],
  [
    "a package that only this project has",
    "AboveA1B2C3D4",
    "Runtime.ImportModuleError",
    "Cannot find package 'zod'",
  ],
  ["a handler that is not exported", "NamelessA1B2C3D4", "Runtime.HandlerNotFound", "is undefined"],
  ["a callback handler", "CallbackA1B2C3D4", "Runtime.CallbackHandlerDeprecated", "callback-based"],
  ["a module that does not parse", "SyntaxA1B2C3D4", "Runtime.UserCodeSyntaxError", ""],
  ["a module that exits", "QuitterA1B2C3D4", "Runtime.ExitError", "exit status 3"],
])(
  "a function fails to start with Lambda's error for %s",
  async (...[, functionName, errorType, message]) => {
    const failure = await call(watched.cloud, functionName, {});

    expect(failure.errorType).toBe(errorType);
    expect(failure.errorMessage).toContain(message);
  },
);

it("a bundle can import the AWS SDK of Lambda's runtime", async () => {
  expect(await call(watched.cloud, "SdkA1B2C3D4", {})).toBe("function");
});

it("a CommonJS bundle runs", async () => {
  expect(await call(watched.cloud, "CommonA1B2C3D4", {})).toBe("common");
});
