import type { WidgetContent } from "../../../../dashboard/view.ts";

/** The time range. */
export interface Frame {
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
