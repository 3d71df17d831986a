/**
 * @import { DashboardView, PlacedWidget, WidgetContent } from "../../../dashboard/view.ts"
 * @import { Drawing, Frame } from "./widgets/types.d.ts"
 * @typedef {{ key: string, element: HTMLElement, drawing: Drawing, content: WidgetContent, said: string }} Shown
 */
import { freshId, h, put } from "../dom.js";
import { drawWidget } from "./widgets/registry.js";

const noDashboard =
  "This stack has no dashboard. It gets one with the setting monitoring.level “full”, which is the default.";

/**
 * Shows the widgets on CloudWatch's grid of 24 columns. Reuses a widget's elements when it is redrawn, to avoid flicker.
 * @param {{ root: HTMLElement }} ports
 */
export function mountGrid({ root }) {
  /** @type {Shown[]} */
  let shown = [];
  /** @type {DashboardView | null} */
  let last = null;

  /** @param {DashboardView} view */
  const show = (view) => {
    last = view;
    const { startMs, endMs, studioUrl } = view;
    const frame = { startMs, endMs, studioUrl };
    const next = view.widgets.map((widget, index) => keepOrMake(shown[index], widget, frame));
    for (const old of shown) if (!next.includes(old)) old.drawing.destroy();
    shown = next;
    arrange(root, view.widgets.length > 0 ? next.map(({ element }) => element) : [emptyNote()]);
  };

  return {
    show,
    /** Call when the colours have changed. */
    redraw() {
      if (last === null) return;
      for (const { drawing, content } of shown) drawing.update(content, last);
    },
  };
}

const emptyNote = () => h("p", { class: "dashboard-empty quiet" }, noDashboard);

/**
 * @param {Shown | undefined} old
 * @param {PlacedWidget} widget
 * @param {Frame} frame
 * @returns {Shown}
 */
function keepOrMake(old, widget, frame) {
  const { content, ...place } = widget;
  const key = JSON.stringify([place, content.kind]);
  const said = JSON.stringify(content);
  if (old?.key === key) {
    // The time axis of a chart moves even if its values are the same.
    if (old.said !== said || content.kind === "chart") old.drawing.update(content, frame);
    return Object.assign(old, { said, content });
  }
  const drawing = drawWidget(content, { title: widget.title, ...frame });
  return { key, said, content, drawing, element: framed(widget, drawing) };
}

/**
 * @param {PlacedWidget} widget
 * @param {Drawing} drawing
 */
function framed({ x, y, width, height, title, content }, { element }) {
  const titleId = freshId();
  const section = h(
    "section",
    { class: `widget widget-${content.kind}`, ...(title ? { "aria-labelledby": titleId } : {}) },
    title ? h("h3", { class: "widget-title", id: titleId }, ...titleParts(title)) : null,
    h("div", { class: "widget-body" }, element),
  );
  section.style.setProperty("--height", String(height));
  section.style.setProperty("--column", `${x === undefined ? "auto" : x + 1} / span ${width}`);
  section.style.setProperty("--row", `${y === undefined ? "auto" : y + 1} / span ${height}`);
  return section;
}

/**
 * Shows the part of a title after its dot in a smaller line of its own.
 * @param {string} title "Failed by reason · good: empty"
 */
function titleParts(title) {
  const [name = "", ...rest] = title.split(" · ");
  return [name, rest.length > 0 ? h("span", { class: "widget-good" }, rest.join(" · ")) : null];
}

/**
 * @param {HTMLElement} root
 * @param {readonly HTMLElement[]} wanted
 */
function arrange(root, wanted) {
  const same =
    root.children.length === wanted.length && wanted.every((child, at) => root.children[at] === child);
  if (!same) put(root, ...wanted);
}
