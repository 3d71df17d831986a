import type { WidgetContent } from "../../../../dashboard/view.ts";

/** What all widgets have in common: the time range, and the address of Studio's page. */
export interface Frame {
  readonly studioUrl: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Setting extends Frame {
  readonly title: string;
}

/** The body of a widget. It gets contents of one kind only, so these are methods, whose parameters TypeScript lets narrow. */
export interface Drawing {
  readonly element: HTMLElement;
  update(content: WidgetContent, frame: Frame): void;
  destroy(): void;
}

export interface Maker {
  make(content: WidgetContent, setting: Setting): Drawing;
}
