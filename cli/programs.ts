import { spawn } from "node:child_process";
import { once } from "node:events";

export interface ProgramRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Over our own. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where what it prints goes: standard error, where our standard output is one document for a script. */
  readonly prints: "stdout" | "stderr";
}

/** Programs beside us, on the same terminal. */
export interface Programs {
  /** Its exit code; 130 where a signal ended it. @throws Error where the file cannot be run */
  run(program: ProgramRun): Promise<number>;
}

export function createPrograms(env: Readonly<Record<string, string | undefined>>): Programs {
  return {
    run: async ({ file, args, folder, variables, prints }) => {
      const child = spawn(file, [...args], {
        cwd: folder,
        env: { ...env, ...variables },
        stdio: ["inherit", prints === "stdout" ? "inherit" : 2, "inherit"],
      });
      // Ctrl-C reaches both of us: the program ends as it likes, and we with it.
      const [code] = await once(child, "close");
      return typeof code === "number" ? code : 130;
    },
  };
}
