import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { defineConfig, type MarkdownRenderer } from "vitepress";
import { slugOf } from "./slug.ts";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

const docs = resolve(import.meta.dirname, "..");
const root = dirname(docs);

/** Pages of the project's folder that are part of the site: copied, because a site has one folder. */
const copies = "project";
const copied = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
mkdirSync(join(docs, copies), { recursive: true });
for (const name of copied) copyFileSync(join(root, name), join(docs, copies, name));

/** `docs/decisions/README.md` as `/decisions/`; `undefined`: not a page of the site. */
function addressOf(file: string): string | undefined {
  if (copied.includes(file)) return `/${copies}/${file}`;
  if (!file.startsWith("docs/") || !file.endsWith(".md") || !existsSync(join(root, file))) return undefined;
  return `/${file.slice("docs/".length).replace(/(^|\/)(README|index)\.md$/, "$1")}`;
}

/**
 * Links in the documents are relative to their files, as GitHub needs them. Here they become the site's addresses; one to a
 * source file, which is no page, becomes plain text.
 */
function resolveLinks(md: MarkdownRenderer): void {
  md.core.ruler.push("links-of-files", ({ tokens, env }) => {
    const { path, realPath = path } = env as { path: string; realPath?: string };
    const folder = realPath.startsWith(join(docs, copies)) ? root : dirname(realPath);
    for (const { children } of tokens) {
      let isPlain = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") isPlain = resolveLink(token, folder);
        if (isPlain && token.type.startsWith("link_"))
          Object.assign(token, { type: "span", tag: "span", attrs: null });
      }
    }
  });
}

/** Whether the link leads to a source file. */
function resolveLink(link: Token, folder: string): boolean {
  const [path = "", ...anchor] = (link.attrGet("href") ?? "").split("#");
  if (path === "" || /^[a-z]+:/.test(path)) return false;
  const file = relative(root, resolve(folder, path));
  const address = addressOf(file);
  if (address !== undefined) link.attrSet("href", [address, ...anchor].join("#"));
  return address === undefined && existsSync(join(root, file));
}

/** A block of Mermaid's text becomes a diagram, which the browser draws. */
function drawMermaid(md: MarkdownRenderer): void {
  const { fence } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = "", content = "" } = tokens[index] ?? {};
    if (info.trim() === "mermaid") return `<MermaidDiagram text="${encodeURIComponent(content)}" />`;
    return fence?.(tokens, index, ...rest) ?? "";
  };
}

/**
 * Pages are text for GitHub, not templates: two braces in inline code are no expression of Vue's. A long name may break after
 * a dot or a slash and before a capital.
 */
function writeCode(md: MarkdownRenderer): void {
  const breaks = /(?<=\w[./])(?=\w)|(?<=[a-z])(?=[A-Z])/g;
  md.renderer.rules.code_inline = (tokens, index) => {
    const parts = (tokens[index]?.content ?? "").split(breaks).map((part) => md.utils.escapeHtml(part));
    return `<code v-pre>${parts.join("<wbr>")}</code>`;
  };
}

/** The local Studio's. */
const icon = readFileSync(join(root, "local/studio/page/icon.svg"), "utf8");

const titleOf = (file: string): string =>
  /^# (?:\d+\. )?(.*)$/m.exec(readFileSync(join(root, file), "utf8"))?.[1] ?? file;

const decisions = readdirSync(join(root, "docs/decisions"))
  .filter((name) => /^\d/.test(name))
  .map((name) => ({
    text: `${Number(name.slice(0, 4))}. ${titleOf(`docs/decisions/${name}`)}`,
    link: `/decisions/${name}`,
  }));

const group = (text: string, pages: Record<string, string>, collapsed?: boolean) => ({
  text,
  ...(collapsed === undefined ? {} : { collapsed }),
  items: Object.entries(pages).map(([page, title]) => ({ text: title, link: `/${page}` })),
});

export default defineConfig({
  title: "studio-runner",
  description: "Runs Xenonflare Studio jobs on AWS Lambda, in your own account.",
  lang: "en",
  rewrites: { "decisions/README.md": "decisions/index.md" },
  cleanUrls: false,
  head: [
    ["meta", { name: "theme-color", content: "#3451b2" }],
    ["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(icon)}` }],
  ],
  markdown: {
    anchor: { slugify: slugOf },
    config: (md) => {
      resolveLinks(md);
      drawMermaid(md);
      writeCode(md);
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    docFooter: { prev: false, next: false },
    nav: [
      { text: "Deploy", link: "/deploy" },
      { text: "Operate", link: "/operate" },
      { text: "Settings", link: "/settings" },
      { text: "Changelog", link: "/project/CHANGELOG" },
    ],
    sidebar: [
      group("Use it", {
        "run-locally": "Run it on your machine",
        "offline-model": "The offline model",
        deploy: "Deploy",
        settings: "Settings",
        library: "In your own CDK app",
        api: "The construct",
        company: "In a company's account",
        permissions: "Permissions",
        costs: "Costs",
        faq: "Questions",
      }),
      group("Operate it", {
        operate: "Day by day",
        cli: "The command line",
        runbook: "Alarms",
        metrics: "Metrics",
        upgrading: "Upgrading",
        scaling: "Scaling",
      }),
      group("How it works", {
        architecture: "Architecture",
        deliverables: "What a job can produce",
        reliability: "Reliability",
        security: "Security",
        performance: "Performance",
        "bundle-sizes": "Bundle sizes",
      }),
      { text: "Decisions", link: "/decisions/", collapsed: true, items: decisions },
      group("The project", {
        "project/CONTRIBUTING": "Contributing",
        "project/CHANGELOG": "Changelog",
        "project/SECURITY": "Report a vulnerability",
      }),
    ],
  },
});
