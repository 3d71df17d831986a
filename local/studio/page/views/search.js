/**
 * @import { Actions } from "../actions.js"
 * @import { Store } from "../state.js"
 */
import { h, icon, put } from "../dom.js";

const pauseMs = 150;

/**
 * A field that filters the list by titles and messages. The arrow keys go between the field and the list, Enter opens the
 * first workspace that is found, and Escape empties the field.
 * @param {{ root: HTMLElement, list: HTMLElement, store: Store, actions: Pick<Actions, "search"> }} ports
 */
export function mountSearch({ root, list, store, actions }) {
  const field = h("input", {
    type: "search",
    class: "text-field search-field",
    placeholder: "Search",
    "aria-label": "Search workspaces",
    maxlength: 200,
    autocomplete: "off",
  });
  put(root, icon("search"), field);
  const search = latest(() => actions.search(field.value.trim()));
  const first = () => list.querySelector("a");

  field.addEventListener("input", search);
  const openFirst = async () => {
    await actions.search(field.value.trim()).catch(() => undefined);
    first()?.click();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && field.value !== "") {
      event.preventDefault();
      field.value = "";
      search();
    }
    if (event.key === "ArrowDown") {
      event.preventDefault();
      first()?.focus();
    }
    if (event.key === "Enter" && field.value.trim() !== "") void openFirst();
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp" && document.activeElement === first()) field.focus();
  });
  const render = () => {
    root.hidden = !store.get().summaries?.length;
  };
  store.subscribe((next, before) => {
    if (next.summaries === before.summaries) return;
    render();
    if (next.search) search();
  });
  render();
}

/**
 * Runs `work` once after a pause without calls. A failure changes nothing: the list shows that the server is unreachable.
 * @param {() => Promise<unknown>} work
 */
function latest(work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => void work().catch(() => undefined), pauseMs);
  };
}
