import { describe, expect, it } from "vitest";
import { localCommands, withLocalCommands } from "../../../local/dashboard/local-commands.ts";
import { alarmNamed } from "../../support/dashboard-source.ts";

describe("the commands in a text about a deployed stack", () => {
  it.each([
    ["Run: npm run runner -- jobs", undefined, "Run: npm run runner -- jobs --local"],
    [
      "`npm run runner -- status --pool a`, which",
      undefined,
      "`npm run runner -- status --pool a --local`, which",
    ],
    [
      "Run: npm run runner -- jobs\nRunbook: x",
      "/tmp/s",
      "Run: npm run runner -- jobs --local --state-dir /tmp/s\nRunbook: x",
    ],
    ["no command", undefined, "no command"],
  ])("are commands for the local one on its page: %j", (text, stateDir, expected) => {
    expect(localCommands(text, stateDir)).toBe(expected);
  });

  it("are also found in the descriptions of alarms", () => {
    const alarm = { ...alarmNamed("A"), description: "Run: npm run runner -- jobs" };
    const widget = { width: 6, height: 6, title: "", content: { kind: "alarms", alarms: [alarm] } } as const;
    const view = { studioUrl: "/", dashboards: [], startMs: 0, endMs: 1, widgets: [widget], alarms: [alarm] };
    const shown = JSON.stringify(withLocalCommands(view, undefined));
    expect(shown.match(/Run: npm run runner -- jobs --local/g)).toHaveLength(2);
  });
});
