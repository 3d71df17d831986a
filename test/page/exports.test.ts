import { readFile } from "node:fs/promises";
import { strFromU8, unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { browser, completedWorkspace, inChromium, openPage, setUpStudio } from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

let page: Page;

setUpStudio();
beforeAll(async () => {
  await browser.grantPermissions(["clipboard-read", "clipboard-write"]);
  ({ page } = await openPage(`#/w/${await completedWorkspace(sampleResult)}`));
  await page.locator(".card").first().waitFor();
});

async function downloaded(button: string) {
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: button, exact: true }).click();
  const download = await waiting;
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}

const startOfPng = [0x89, 0x50, 0x4e, 0x47];

inChromium("a table", () => {
  test("is downloaded as CSV", async () => {
    const { name, content } = await downloaded("Download Plans as CSV");
    expect(name).toBe("Plans.csv");
    expect(content.toString("utf8").split("\r\n").slice(0, 2)).toEqual([
      "\uFEFFPlan,Boxes,Price,Margin,Ships on,Good for,Cancelled by",
      "Taster,1,9.90 €,18 %,Monday,one person at home,the 20th of a month",
    ]);
  });

  test.each([
    ["a,b", '"a,b"'],
    ['the "best"', '"the ""best"""'],
    ["two\nlines", '"two\nlines"'],
    ["=1+1", "'=1+1"],
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ["+SUM(A1)", "'+SUM(A1)"],
    ["-2+3", "'-2+3"],
    ["@cmd", "'@cmd"],
    [" =1+1", "' =1+1"],
    ["＝1+1", "'＝1+1"],
    ["\tx", "'\tx"],
    ["-5", "-5"],
    ["-1,200.50 €", '"-1,200.50 €"'],
    ["+3 %", "+3 %"],
    ["", ""],
  ])("has the cell %j as %j", async (cell, expected) => {
    const csv = await page.evaluate<string>(
      `import("/page/exports/csv.js").then(({ csvOf }) => csvOf({ columns: ["c"], rows: [[${JSON.stringify(cell)}]] }))`,
    );
    expect(csv).toBe(`\uFEFFc\r\n${expected}\r\n`);
  });
});

inChromium("a chart", () => {
  test("is downloaded as a PNG on the page's background", async () => {
    const { name, content } = await downloaded("Download Visits as PNG");
    expect(name).toBe("Visits.png");
    expect([...content.subarray(0, 4)]).toEqual(startOfPng);
    expect([content.readUInt32BE(16), content.readUInt32BE(20)]).toEqual([1920, 1080]);
    const corner = await page.evaluate(`(async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${content.toString("base64")}";
      await image.decode();
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.drawImage(image, 0, 0);
      return [...context.getImageData(0, 0, 1, 1).data];
    })()`);
    expect(corner).toEqual([255, 255, 255, 255]);
  });
});

inChromium("an answer", () => {
  test("is copied as Markdown, with its deliverables in place of the placeholders and the present ticks", async () => {
    await page.getByLabel("Order 500 boxes").check();
    await expect.poll(() => page.locator(".progress-text").textContent()).toBe("2 of 3");
    await page.waitForLoadState("networkidle");
    await page.getByRole("button", { name: "Copy as Markdown" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    const parts = [
      "# Coffee by post\n",
      "**Budget of the first quarter** (pie chart)\n\n| Label | Value | Share |\n| --- | --- | --- |\n| Beans | 2,100 | 42% |",
      "| Taster | 1 | 9.90 € | 18 % | Monday | one person at home | the 20th of a month |",
      "Start here:\n\n**First month**\n\n- [x] Sign the contract with the roastery\n- [x] Order 500 boxes\n- [ ] Put",
      "keep the order of the roasting steps\n\n**Roasting steps**\n\n1. Heat\n2. Charge\n3. Cool\n\n below.",
      "Drawing: **The way of a box**",
      "stays as it is: `{{artifact:chart:budget}}`.",
      "**Risks**\n\n- Customs delays\n- A bad harvest",
      "File: `labels.txt`",
    ];
    for (const part of parts) expect(copied).toContain(part);
    expect(copied.match(/\{\{artifact/g)).toHaveLength(1);
  });

  test("is downloaded as one ZIP whose answer.md links to the files", async () => {
    const { name, content } = await downloaded("Download all as ZIP");
    expect(name).toBe("Coffee-by-post.zip");
    const files = unzipSync(content);
    expect(Object.keys(files)).toEqual([
      "answer.md",
      "Budget-of-the-first-quarter.png",
      "Orders-by-roast.png",
      "Subscribers-by-country.png",
      "Costs-a-month.png",
      "Revenue-against-plan.png",
      "Visits.png",
      "Price-and-score-of-beans.png",
      "Plans.csv",
      "Roasting-steps.md",
      "Risks.md",
      "First-month.md",
      "The-way-of-a-box.svg",
      "notes/brief.md",
      "labels.txt",
    ]);
    const text = (path: string) => strFromU8(files[path] ?? new Uint8Array());
    expect(text("answer.md")).toContain("![Budget of the first quarter](Budget-of-the-first-quarter.png)");
    expect(text("answer.md")).toContain("[notes/brief.md](notes/brief.md)");
    expect(text("Risks.md")).toBe("# Risks\n\n- Customs delays\n- A bad harvest\n");
    expect([...(files["Visits.png"] ?? [])].slice(0, 4)).toEqual(startOfPng);
    expect(text("The-way-of-a-box.svg")).toMatch(/^<svg xmlns/);
  });
});

inChromium("the names in a ZIP", () => {
  test("are unlike each other in any case, and allowed on every system", async () => {
    const names = ["answer.md", "Answer.md", "a.md/b.md", "a.md", "a.md/c.md", "con.txt", "x/aux", "x"];
    const paths = await page.evaluate(
      `import("/page/exports/names.js").then(({ uniquePaths }) => ${JSON.stringify(names)}.map(uniquePaths()))`,
    );
    expect(paths).toEqual([
      "answer.md",
      "Answer-2.md",
      "a.md/b.md",
      "a-2.md",
      "a.md/c.md",
      "_con.txt",
      "x/_aux",
      "x-2",
    ]);
  });

  test.each([
    ["Costs: 2025/26", "Costs-2025-26"],
    ["../../etc/passwd", "etc-passwd"],
    ["Größe & Preis", "Größe-Preis"],
    ["…", "chart"],
  ])("have %j as %j", async (title, expected) => {
    const made = await page.evaluate(
      `import("/page/exports/names.js").then(({ fileNameOf }) => fileNameOf(${JSON.stringify(title)}, "chart"))`,
    );
    expect(made).toBe(expected);
  });
});

inChromium("the data of a chart", () => {
  test("is in view when it is opened", async () => {
    const chart = page.getByRole("group", { name: "Budget of the first quarter", exact: true });
    await page.setViewportSize({ width: 1280, height: 620 });
    await chart.getByRole("button", { name: "Data" }).click();
    const [bottom, end] = await page.evaluate<number[]>(
      `[document.querySelector(".chart-data table"), document.querySelector(".thread-scroll")].map((one) => one.getBoundingClientRect().bottom)`,
    );
    expect(bottom).toBeLessThanOrEqual(end ?? 0);
    await page.setViewportSize({ width: 1280, height: 860 });
  });
});

inChromium("the printed page", () => {
  test("has the whole thread in light colours, without the sidebar and the composer", async () => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    const seen = await page.evaluate(`[
      getComputedStyle(document.documentElement).getPropertyValue("--surface").trim(),
      Chart.getChart(document.querySelectorAll("canvas")[1]).data.datasets[0].backgroundColor,
      document.querySelector(".thread-scroll").scrollHeight === document.querySelector(".thread-scroll").clientHeight,
      document.documentElement.scrollHeight > 3000,
      document.querySelector(".sidebar").checkVisibility(),
      document.querySelector("textarea").checkVisibility(),
    ]`);
    expect(seen).toEqual(["#ffffff", "#3a5be0", true, true, false, false]);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    await page.emulateMedia({ media: null, colorScheme: "light" });
  });
});
