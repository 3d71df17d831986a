import { availableParallelism, cpus, totalmem } from "node:os";
import { rounded } from "./stats.ts";

/** "2 cores (AMD EPYC), 23 GB, Node 24.21.0, Linux". */
export function machine(): string {
  const [model = ""] = cpus().map((cpu) => cpu.model.trim());
  const memory = `${rounded(totalmem() / 1024 ** 3)} GB`;
  return `${availableParallelism()} cores (${model}), ${memory}, Node ${process.versions.node}, ${process.platform}`;
}
