/** The command line as people start it: in a checkout, and from the npm package. The only place that spells it. */
export const commandName = import.meta.url.endsWith(".ts") ? "npm run runner --" : "npx studio-runner";

/** Which stack a command is about, and how the command line was started. */
export interface Target {
  /** Default: `commandName`. */
  readonly name?: string | undefined;
  readonly local?: boolean | undefined;
  readonly stateDir?: string | undefined;
  readonly stack?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly pool?: string | undefined;
}

/** A command to copy into a shell: `npm run runner -- resume --local`. */
export function commandLine(words: string, target: Target = {}): string {
  const { name = commandName, local = false, stateDir, stack, region, profile, pool } = target;
  const values = { pool, stack, region, profile, "state-dir": stateDir };
  const options = Object.entries(values).flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option} ${quoted(value)}`],
  );
  return [name, words, ...(local ? ["--local"] : []), ...options].join(" ");
}

const quoted = (value: string): string =>
  /^[\w./:@=+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;

/** How this process was started, so that what it prints can be copied: npm's variables tell, and the script's name. */
export function startedAs(
  env: Readonly<Record<string, string | undefined>>,
  script: string | undefined,
): string {
  if (env["npm_lifecycle_event"] === "npx") return "npx studio-runner";
  return env["npm_lifecycle_event"] === undefined && script?.endsWith("/studio-runner")
    ? "studio-runner"
    : commandName;
}
