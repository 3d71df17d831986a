import { TemplateError } from "./errors.ts";

/** The values of `Ref` and `Fn::GetAtt` for a resource that runs here. */
export interface Attributes {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Scope {
  /** Pseudo parameters, and template parameters that have a default. */
  readonly parameters: ReadonlyMap<string, unknown>;
  readonly resources: ReadonlyMap<string, Attributes>;
  /** The type of every resource in the template, for error messages. */
  readonly types: ReadonlyMap<string, string>;
}

/** Where a value is, for error messages: "Processor60228016, Environment". */
export interface Place {
  readonly scope: Scope;
  readonly where: string;
}

type Intrinsic = (argument: unknown, place: Place) => unknown;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Evaluates CloudFormation's functions in `value`.
 * @throws TemplateError that names the resource and the property
 */
export function resolve(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, place));
  if (!isObject(value)) return plain(value, place);
  const [name = "", ...more] = Object.keys(value);
  const intrinsic = more.length === 0 ? intrinsics[name] : undefined;
  if (intrinsic !== undefined) return intrinsic(value[name], place);
  if (name.startsWith("Fn::") && more.length === 0) throw fault(place, `${name} is not understood locally`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, place)]));
}

function plain(value: unknown, place: Place): unknown {
  if (typeof value === "string" && value.includes("{{resolve:")) {
    throw fault(place, `the dynamic reference ${value} cannot be resolved locally`);
  }
  return value;
}

const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, place) => ref(resolveText(name, place), place),
  "Fn::GetAtt": (argument, place) => {
    const parts = typeof argument === "string" ? argument.split(".") : list(argument, place);
    const [id, ...path] = parts.map((part) => resolveText(part, place));
    return getAtt(id ?? "", path.join("."), place);
  },
  "Fn::Join": (argument, place) => {
    const [delimiter, parts] = list(argument, place);
    return list(parts, place)
      .map((part) => resolveText(part, place))
      .join(resolveText(delimiter, place));
  },
  "Fn::Split": (argument, place) => {
    const [delimiter, source] = list(argument, place);
    return resolveText(source, place).split(resolveText(delimiter, place));
  },
  "Fn::Select": (argument, place) => {
    const [index, items] = list(argument, place);
    const item = list(items, place)[Number(index)];
    if (item === undefined) throw fault(place, `Fn::Select finds nothing at index ${String(index)}`);
    return resolve(item, place);
  },
  "Fn::Sub": (argument, place) => {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    const own = isObject(variables) ? variables : {};
    return resolveText(template, place).replaceAll(
      /\$\{(!?)([^}]+)\}/g,
      (_, literal: string, name: string) => {
        if (literal !== "") return `\${${name}}`;
        if (name in own) return resolveText(own[name], place);
        const [id = "", ...path] = name.split(".");
        return path.length === 0 ? resolveText(ref(name, place), place) : getAtt(id, path.join("."), place);
      },
    );
  },
};

function ref(name: string, place: Place): unknown {
  if (place.scope.parameters.has(name)) return place.scope.parameters.get(name);
  const resource = place.scope.resources.get(name);
  if (resource === undefined)
    throw fault(place, `${describe(name, place)} has no local counterpart to refer to`);
  return resource.ref;
}

function getAtt(id: string, attribute: string, place: Place): string {
  const value = place.scope.resources.get(id)?.attributes[attribute];
  if (value === undefined) {
    throw fault(place, `attribute ${attribute} of ${describe(id, place)} has no local counterpart`);
  }
  return value;
}

function describe(name: string, { scope }: Place): string {
  const type = scope.types.get(name);
  return type === undefined ? `"${name}" (a parameter without a default, or unknown)` : `${name} (${type})`;
}

/** @throws TemplateError if the value is not a text, a number or a boolean */
export function resolveText(value: unknown, place: Place): string {
  const resolved = resolve(value, place);
  if (typeof resolved === "string") return resolved;
  if (typeof resolved === "number" || typeof resolved === "boolean") return String(resolved);
  throw fault(place, `a text was expected, not ${JSON.stringify(resolved)}`);
}

function list(value: unknown, place: Place): readonly unknown[] {
  const resolved = Array.isArray(value) ? value : resolve(value, place);
  if (!Array.isArray(resolved)) throw fault(place, `a list was expected, not ${JSON.stringify(resolved)}`);
  return resolved;
}

function fault({ where }: Place, problem: string): TemplateError {
  return new TemplateError(`${where}: ${problem}`);
}
