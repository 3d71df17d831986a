import { shutdowns } from "../infra/dated-table.ts";

export interface Shutdown {
  /** The provider stops serving the model on this day: YYYY-MM-DD. */
  readonly date: string;
  /** The replacement that the provider recommends, if any. */
  readonly instead: string | undefined;
}

/** The announced shutdown of the model, or of the model whose dated snapshot it is. */
export function shutdownOf(model: string): Shutdown | undefined {
  const name = model.replace(/-\d{4}-\d{2}-\d{2}$/, "");
  if (!Object.hasOwn(shutdowns, name)) return undefined;
  const [date, instead] = shutdowns[name] ?? [];
  return date === undefined ? undefined : { date, instead };
}
