import { limits } from "../../lib/deliverables/fields.ts";
import { tools } from "../../lib/deliverables/registry.ts";

/** The README's table of tools, in Markdown. */
export function deliverablesTable(): string {
  const rows = tools.map(({ name, makes, payloadKey, caps }) => {
    const isShared = tools.filter((tool) => tool.payloadKey === payloadKey).length > 1;
    const most = `${limits.most[payloadKey]}${isShared ? ` ${payloadKey} together` : ""}`;
    return `| \`${name}\` | ${makes} | ${most} | ${caps} |`;
  });
  return ["| tool | makes | at most, per job | each |", "|---|---|---|---|", ...rows].join("\n");
}
