import { commandLine, commandName } from "../../infra/command-line.ts";
import type { AlarmView, DashboardView, WidgetContent } from "./view.ts";

const commands = new RegExp(`${commandName} ([^\`\\n]+)`, "g");

/** Makes the commands in a text about a deployed stack commands for the local one. */
export const localCommands = (text: string, stateDir: string | undefined): string =>
  text.replaceAll(commands, (_, words: string) => commandLine(words.trimEnd(), { local: true, stateDir }));

/** The same for every text of a dashboard. */
export function withLocalCommands(view: DashboardView, stateDir: string | undefined): DashboardView {
  const alarm = (one: AlarmView): AlarmView => ({
    ...one,
    description: localCommands(one.description, stateDir),
  });
  const drawn = (content: WidgetContent): WidgetContent => {
    if (content.kind === "text") return { ...content, markdown: localCommands(content.markdown, stateDir) };
    return content.kind === "alarms" ? { ...content, alarms: content.alarms.map(alarm) } : content;
  };
  const widgets = view.widgets.map((widget) => ({ ...widget, content: drawn(widget.content) }));
  return { ...view, widgets, alarms: view.alarms.map(alarm) };
}
