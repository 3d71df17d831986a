import { spawn } from "node:child_process";
import { once } from "node:events";

export interface ProgramRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Override the environment of this process. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where the program's output goes. Standard error if standard output is one document for a script. */
  readonly prints: "stdout" | "stderr";
}

/** Runs other programs in the same terminal. */
export interface Programs {
  /** Returns the exit code; 130 if a signal ended the program. @throws Error if the file cannot be run */
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
      // Ctrl-C reaches both processes. The program decides how it ends, and this process waits for it.
      const [code] = await once(child, "close");
      return typeof code === "number" ? code : 130;
    },
  };
}

/** Whether a process of this machine has the id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
