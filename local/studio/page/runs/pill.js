import { h } from "../dom.js";

/** @param {{ label: string, tone: string }} state */
export const statePill = ({ label, tone }) => h("span", { class: `pill pill-${tone}` }, label);
