/**
 * @import { Deliverables } from "../../page-api.ts"
 * @import { DrawContext, Drawn, Item } from "./registry.js"
 * @typedef {Deliverables["checklists"][number]} Checklist
 */
import { sentenceOf } from "../api.js";
import { h, put } from "../dom.js";
import { inBold, markdownList } from "../exports/markdown-parts.js";
import { fileNameOf } from "../exports/names.js";
import { card } from "./card.js";

/**
 * @param {Checklist} checklist
 * @param {DrawContext} context
 * @returns {Drawn}
 */
function draw(checklist, context) {
  const { id, title = id } = checklist;
  const progressText = h("span", { class: "progress-text" });
  const bar = h("progress", { class: "progress", "aria-label": `Progress of ${title}` });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const boxes = new Map(
    checklist.items.map((item) => [item.id, h("input", { type: "checkbox", checked: item.checked })]),
  );

  const count = () => {
    const done = [...boxes.values()].filter((box) => box.checked).length;
    progressText.textContent = `${done} of ${boxes.size}`;
    bar.max = Math.max(1, boxes.size);
    bar.value = done;
  };
  const tick = tickInTurn({
    send: (itemId, checked) => context.tick({ checklistId: id, itemId, checked }),
    onProblem: (sentence) => {
      problem.hidden = sentence === null;
      put(problem, sentence);
      count();
    },
  });
  for (const [itemId, box] of boxes) {
    box.addEventListener("change", () => {
      count();
      tick.change(itemId, box);
    });
  }
  count();
  const rows = checklist.items.map(({ id: itemId, label }) =>
    h("li", {}, h("label", {}, boxes.get(itemId), h("span", {}, label))),
  );
  const element = card(
    { kind: "checklist", title, meta: progressText },
    bar,
    h("ul", { class: "checklist" }, ...rows),
    problem,
  );
  return {
    element,
    update(deliverables) {
      for (const item of deliverables.checklists.find((one) => one.id === id)?.items ?? []) {
        const box = boxes.get(item.id);
        if (box && !tick.isPending(item.id)) box.checked = item.checked;
      }
      count();
    },
  };
}

/**
 * Shows ticks at once and sends them one after the other. A refused one is reset to the state on the server.
 * @param {{ send: (itemId: string, checked: boolean) => Promise<void>, onProblem: (sentence: string | null) => void }} ports
 */
function tickInTurn({ send, onProblem }) {
  /** @type {Map<string, number>} */
  const pending = new Map();
  /** @param {string} itemId @param {number} by */
  const add = (itemId, by) => pending.set(itemId, (pending.get(itemId) ?? 0) + by);
  /** @param {Promise<void>} before @param {string} itemId @param {HTMLInputElement} box */
  const sendAfter = async (before, itemId, box) => {
    const { checked } = box;
    add(itemId, 1);
    await before;
    try {
      await send(itemId, checked);
      onProblem(null);
    } catch (error) {
      if (pending.get(itemId) === 1) box.checked = !checked;
      onProblem(`Not saved. ${sentenceOf(error)}`);
    }
    add(itemId, -1);
  };
  /** @type {Promise<void>} */
  let last = Promise.resolve();

  return {
    /** @param {string} itemId */
    isPending: (itemId) => (pending.get(itemId) ?? 0) > 0,
    /** @param {string} itemId @param {HTMLInputElement} box */
    change(itemId, box) {
      last = sendAfter(last, itemId, box);
    },
  };
}

export const checklistKind = {
  kind: "checklist",
  /** @param {Deliverables} deliverables @returns {readonly Item[]} */
  items: ({ checklists }) =>
    checklists.map((checklist) => {
      const { id, title = id, items } = checklist;
      const content = markdownList(
        items.map(({ label }) => label),
        (index) => (items[index]?.checked ? "- [x]" : "- [ ]"),
      );
      return {
        kind: "checklist",
        id,
        title,
        draw: (context) => draw(checklist, context),
        markdown: () => `${inBold(title)}\n\n${content}`,
        file: () => ({ name: `${fileNameOf(title, "checklist")}.md`, content: `# ${title}\n\n${content}\n` }),
      };
    }),
};
