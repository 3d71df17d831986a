import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";

type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
  readonly variables: Variables;
  /** A variable with the place where it is set, if that is the file: "OPENAI_API_KEY (from .env)". */
  readonly nameOf: (variable: string) => string;
}

/** The environment, with the variables of a file as defaults. */
export function readEnvironment(name: string, given: Variables): Environment {
  const file = resolve(name);
  const fromFile: Variables = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  return {
    variables: { ...fromFile, ...given },
    nameOf: (variable) =>
      variable in fromFile && given[variable] === undefined ? `${variable} (from ${name})` : variable,
  };
}
