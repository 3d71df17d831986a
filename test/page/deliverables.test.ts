import { readFile } from "node:fs/promises";
import type { BrowserContext, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import {
  browser,
  completedWorkspace,
  hasFocus,
  inChromium,
  inEveryBrowser,
  openPage,
  setUpStudio,
} from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

let page: Page;
let complaints: readonly string[];
/** The browser that shows the page. */
let shownIn: BrowserContext | undefined;
const card = (title: string) =>
  page.getByRole("group", { name: title, exact: true }).and(page.locator(".card"));

setUpStudio();

/** The tests of one browser share the page. */
async function openAnswer(): Promise<void> {
  if (shownIn === browser) return;
  shownIn = browser;
  ({ page, complaints } = await openPage(`#/w/${await completedWorkspace(sampleResult)}`));
  await page.locator(".card").first().waitFor();
}

inEveryBrowser("an answer on the page", () => {
  beforeAll(openAnswer);

  test("shows each deliverable once, those with a placeholder first, in the order of the text", async () => {
    expect(await page.locator(".card-title").allTextContents()).toEqual([
      "Budget of the first quarter",
      "Plans",
      "First month",
      "Roasting steps",
      "The way of a box",
      "Orders by roast",
      "Subscribers by country",
      "Costs a month",
      "Revenue against plan",
      "Visits",
      "Price and score of beans",
      "Risks",
      "notes/brief.md",
      "labels.txt",
    ]);
  });

  test("shows a deliverable in the place of its placeholder", async () => {
    const checklist = page.locator(".card-checklist");
    expect(await checklist.locator("xpath=preceding-sibling::*[1]").textContent()).toBe("Start here: ");
    expect(await checklist.locator("xpath=following-sibling::*[1]").textContent()).toMatch(
      /^ and keep the order/,
    );
    expect(await page.locator(".prose").first().textContent()).not.toMatch(
      /xfslot|\{\{\s*artifact:(table|svg|list)/i,
    );
  });

  test("shows a placeholder in code as text", async () => {
    expect(await page.locator(".prose code").textContent()).toBe("{{artifact:chart:budget}}");
  });

  test("shows how long the answer took", async () => {
    expect(await page.locator(".message-assistant .message-meta span").textContent()).toMatch(
      /^Answered in \d+(\.\d)? s$/,
    );
  });
});

inEveryBrowser("a deliverable on the page", () => {
  beforeAll(openAnswer);

  test("is painted on its canvas if it is a chart", async () => {
    const painted = await page.evaluate<number[]>(`[...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
  })`);
    expect(painted).toHaveLength(7);
    for (const share of painted) expect(share).toBeGreaterThan(0.005);
  });

  test("is enlarged if it is a drawing, closed with Escape, and returns the focus", async () => {
    const opener = card("The way of a box").getByRole("button", { name: "Enlarge The way of a box" });
    await opener.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "The way of a box" });
    expect(await dialog.getByRole("img").getAttribute("src")).toMatch(/^data:image\/svg\+xml/);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await hasFocus(opener)).toBe(true);
  });

  test("causes no error, warning or policy violation in the console", () => {
    expect(complaints).toEqual([]);
  });
});

inChromium("a chart", () => {
  beforeAll(openAnswer);

  test("is drawn according to its kind", async () => {
    const drawn = await page.evaluate(`[...document.querySelectorAll("canvas")].map((canvas) => {
    const { config, options, data } = Chart.getChart(canvas);
    return [config.type, options.indexAxis, options.scales?.y?.stacked ?? false, data.datasets[0].fill ?? false];
  })`);
    expect(drawn).toEqual([
      ["pie", "r", false, false],
      ["bar", "x", false, false],
      ["bar", "y", false, false],
      ["bar", "x", true, false],
      ["line", "x", false, false],
      ["line", "x", false, "origin"],
      ["scatter", "x", false, false],
    ]);
  });

  test("names a scatter point in the tooltip by its label, or else by its series", async () => {
    const lines =
      await page.evaluate(`import("/page/deliverables/chart-config.js").then(({ scatterLine }) => {
    const series = [{ name: "Africa", points: [{ x: 18, y: 86, label: "Nyeri" }, { x: 1500, y: 4.25 }] }];
    return [0, 1].map((dataIndex) => scatterLine(series, { datasetIndex: 0, dataIndex }));
  })`);
    expect(lines).toEqual([" Nyeri: 18, 86", " Africa: 1,500, 4.25"]);
  });
});

inChromium("a chart on the page", () => {
  beforeAll(openAnswer);

  test("shows its numbers as a table on demand", async () => {
    const chart = card("Budget of the first quarter");
    const toggle = chart.getByRole("button", { name: "Data" });
    expect(await chart.getByRole("table").isVisible()).toBe(false);
    await toggle.click();
    expect(await toggle.getAttribute("aria-expanded")).toBe("true");
    expect(await chart.locator("tbody tr").first().locator("td").allTextContents()).toEqual([
      "Beans",
      "2,100",
      "42%",
    ]);
    await toggle.click();
    expect(await chart.getByRole("table").isVisible()).toBe(false);
  });

  test("is repainted when the system switches to dark mode", async () => {
    const colour = () =>
      page.evaluate(
        `Chart.getChart(document.querySelectorAll("canvas")[1]).data.datasets[0].backgroundColor`,
      );
    expect(await colour()).toBe("#3a5be0");
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(colour).toBe("#8299ff");
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(colour).toBe("#3a5be0");
  });
});

inChromium("the page", () => {
  beforeAll(openAnswer);

  test("right-aligns columns of numbers and keeps the table's header visible", async () => {
    const table = card("Plans");
    expect(await table.locator("th").allTextContents()).toEqual(sampleResult.datasets[0]?.columns);
    expect(await table.locator("th.num").allTextContents()).toEqual(["Boxes", "Price", "Margin"]);
    expect(await page.evaluate(`getComputedStyle(document.querySelector(".card-table th")).position`)).toBe(
      "sticky",
    );
  });

  test("numbers an ordered list and bullets any other", async () => {
    expect(await card("Roasting steps").locator("ol > li").count()).toBe(3);
    expect(await card("Risks").locator("ul > li").allTextContents()).toEqual([
      "Customs delays",
      "A bad harvest",
    ]);
  });

  test("renders a Markdown file and shows a text file as it is", async () => {
    await page.getByRole("button", { name: "View notes/brief.md" }).click();
    expect(await page.getByRole("dialog").locator("li").allTextContents()).toEqual([
      "beans",
      "boxes",
      "a link",
    ]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "View labels.txt" }).click();
    expect(await page.getByRole("dialog").locator("pre").textContent()).toBe(
      "Yirgacheffe <b>250 g</b>\nHuila 250 g\n",
    );
    await page.keyboard.press("Escape");
  });

  test("downloads a file with its exact content", async () => {
    const waiting = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download labels.txt" }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe("labels.txt");
    expect(await readFile(await download.path(), "utf8")).toBe("Yirgacheffe <b>250 g</b>\nHuila 250 g\n");
  });
});

inChromium("the browser console", () => {
  beforeAll(openAnswer);

  test("has no errors, warnings or policy violations after the tests above", () => {
    expect(complaints).toEqual([]);
  });
});
