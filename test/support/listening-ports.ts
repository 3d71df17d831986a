import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { descendantsOf } from "./processes.ts";

/**
 * A row of /proc/net/tcp: local address and port in hexadecimal, the remote ones, and state "0A" for LISTEN;
 * the tenth field is the inode.
 */
function listeners(): ReadonlyMap<string, number> {
  const rows = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1);
  return new Map(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter(([, , , state]) => state === "0A")
      .map((fields) => [fields[9] ?? "", Number.parseInt(fields[1]?.split(":")[1] ?? "", 16)]),
  );
}

function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      return []; // it was closed in the meantime
    }
  });
}

/** The TCP ports on which a process and its descendants listen. */
export function listeningPortsOf(root: number): readonly number[] {
  const ports = listeners();
  const inodes = [root, ...descendantsOf(root)].flatMap(socketsOf);
  return [...new Set(inodes.flatMap((inode) => ports.get(inode) ?? []))];
}
