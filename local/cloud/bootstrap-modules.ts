import { realpathSync } from "node:fs";
import { isBuiltin, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

/** Packages that Lambda's Node runtime provides, so a bundle may omit them. */
const runtimePackages = ["@aws-sdk/", "@smithy/"];

const isBare = (specifier: string): boolean => !/^(\.{0,2}\/|[a-z]+:|#)/.test(specifier);

/**
 * Restricts a function to the modules that it finds on Lambda: its own folder, Node's modules and the AWS
 * SDK. The project's node_modules folder is out of reach, so a package that is missing from a bundle fails
 * here too.
 */
export function limitModules(taskRoot: string): void {
  const root = pathToFileURL(`${realpathSync(taskRoot)}/`).href;
  registerHooks({
    resolve(specifier, context, next) {
      const own = context.parentURL?.startsWith(root) ?? false;
      if (!own || !isBare(specifier) || isBuiltin(specifier)) return next(specifier, context);
      if (runtimePackages.some((prefix) => specifier.startsWith(prefix))) {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
      const found = next(specifier, context);
      if (found.url.startsWith(root)) return found;
      const error = new Error(
        `Cannot find package '${specifier}': it is neither in the bundle nor in Lambda's runtime`,
      );
      throw Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" });
    },
  });
}
