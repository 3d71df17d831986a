import { expect, test } from "vitest";
import { ansiToHtml } from "../../../local/ansi.ts";

const esc = "\u001B";

test.each([
  ["plain <b> & text", "plain &lt;b&gt; &amp; text"],
  [`${esc}[32mon${esc}[39m, fine`, '<span class="green">on</span>, fine'],
  [
    `${esc}[1m${esc}[31mbad${esc}[39m still bold${esc}[22m done`,
    '<span class="bold red">bad</span><span class="bold"> still bold</span> done',
  ],
  [`${esc}[1;33mboth${esc}[0m none`, '<span class="bold yellow">both</span> none'],
  [`${esc}[90mgrey${esc}[mback`, '<span class="dim">grey</span>back'],
  [`working${esc}[2K\rdone\r\n`, "workingdone\r\n"],
])("turns %j into HTML", (text, html) => {
  expect(ansiToHtml(text)).toBe(html);
});
