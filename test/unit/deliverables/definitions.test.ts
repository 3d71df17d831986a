import { describe, expect, test } from "vitest";
import { limits } from "../../../lib/deliverables/fields.ts";
import { countDeliverables } from "../../../lib/deliverables/payload.ts";
import { danglingPlaceholders } from "../../../lib/deliverables/placeholders.ts";
import { payloadKeyByKind, toolDefinitions, tools } from "../../../lib/deliverables/registry.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { fullDraft, samples } from "./samples.ts";

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;
const propertiesOf = (node: Node): Node => (isNode(node["properties"]) ? node["properties"] : {});

/** The keywords that we use, all of them supported by OpenAI's strict mode. */
const keywords = "type properties required additionalProperties items enum description".split(" ");

function nodes(node: Node): Node[] {
  const inner = [...Object.values(propertiesOf(node)), node["items"]].filter(isNode);
  return [node, ...inner.flatMap(nodes)];
}

describe("a tool's JSON Schema", () => {
  test.each(toolDefinitions.map((definition) => [definition.name, definition] as const))(
    "of %s closes every object, requires every property and uses only supported keywords",
    (_name, { parameters }) => {
      const all = nodes(parameters);
      expect(all.length).toBeGreaterThan(2);
      for (const node of all) {
        expect(Object.keys(node).filter((key) => !keywords.includes(key))).toEqual([]);
        expect(node["type"]).toBeDefined();
        if (node["type"] !== "object") continue;
        expect(node["additionalProperties"]).toBe(false);
        expect(node["required"]).toEqual(Object.keys(propertiesOf(node)));
      }
    },
  );

  test("states caps in descriptions, makes optional fields nullable and leaves out kind", () => {
    const bar = toolDefinitions.find(({ name }) => name === "create_bar_chart");
    expect(bar?.parameters["properties"]).toMatchObject({
      id: { type: "string", description: "Unique id, used in the placeholder. At most 64 characters." },
      title: { type: ["string", "null"], description: "Headline. At most 200 characters." },
      labels: { type: "array", description: "The categories. 1 to 32 items." },
      orientation: { type: ["string", "null"], enum: ["vertical", "horizontal", null] },
    });
    expect(bar?.parameters["properties"]).not.toHaveProperty("kind");
  });

  test("makes a flag that is true or absent a nullable boolean", () => {
    const list = toolDefinitions.find(({ name }) => name === "create_list");
    expect(list?.parameters).toHaveProperty("properties.list.properties.ordered", {
      type: ["boolean", "null"],
      description: "true numbers the items.",
    });
  });

  test("has the fields of charts and files at the top level, and those of others in a wrapper", () => {
    const top = toolDefinitions.map(({ name, parameters }) => [name, parameters["required"]]);
    expect(Object.fromEntries(top)).toMatchObject({
      create_file: ["name", "content"],
      create_pie_chart: ["id", "title", "segments"],
      create_bar_chart: ["id", "title", "labels", "series", "orientation"],
      create_table: ["table"],
      create_list: ["list"],
      create_checklist: ["checklist"],
      create_svg: ["svg"],
    });
  });
});

test.each(tools.map((tool) => [tool.name, tool] as const))(
  "%s is registered for definitions, placeholders, limits and counts",
  (name, tool) => {
    expect(toolDefinitions.map((definition) => definition.name)).toContain(name);
    expect(payloadKeyByKind.get(tool.kind)).toBe(tool.payloadKey);
    expect(samples).toHaveProperty(name);
    expect(limits.most[tool.payloadKey]).toBeGreaterThan(0);
    const made = fullDraft()[tool.payloadKey].map((item) => tool.idOf(item));
    const message = `{{artifact:${tool.kind}:${made[0]}}}`;
    expect(danglingPlaceholders(message, fullDraft())).toEqual([]);
    expect(danglingPlaceholders(message, emptyDraft)).toHaveLength(1);
    expect(countDeliverables(fullDraft())[tool.kind]).toBe(made.length);
  },
);
