import type { OptionRow } from "./command.ts";

/** Accepted by every command, before or after its name. */
export const globalOptions: readonly OptionRow[] = [
  { flags: "--pool <name>", meaning: "the pool; required if the stack has several" },
  { flags: "--region <region>", meaning: "the stack's AWS region; default: the shell's" },
  { flags: "--profile <name>", meaning: "the AWS profile to sign in with; default: the shell's" },
  { flags: "--stack <name>", meaning: "the stack; default: cdk.json's stackName" },
  { flags: "--json", meaning: "print only one JSON document on standard output" },
  { flags: "--local", meaning: "use the stack that npm start runs on this machine, instead of AWS" },
  { flags: "--state-dir <folder>", meaning: "the local stack's folder; default: .local in the project" },
];
