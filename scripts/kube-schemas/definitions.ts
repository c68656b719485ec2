/**
 * Gives every object schema a name and replaces it by a `$ref`, equal ones by the same. HTTPRoute has each filter twice;
 * named once, its schema is half the size and so is the code compiled from it.
 */
import { toCanonicalText } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** A kind's schema: `root` refers to `definitions`, which refer to each other. Breadth-first order. */
export interface NamedSchema {
  readonly root: Schema;
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** Names that read better than what the path gives; by property name, or by the name of the parent and the property. */
const preferredNames: Readonly<Record<string, string>> = {
  requestHeaderModifier: "HeaderModifier",
  responseHeaderModifier: "HeaderModifier",
  set: "HeaderValue",
  add: "HeaderValue",
  matches: "Match",
  "Match.path": "PathMatch",
  "Match.headers": "HeaderMatch",
  "Match.queryParams": "QueryParamMatch",
  "Match.method": "MethodMatch",
  "RequestRedirect.path": "PathModifier",
  "ExternalAuth.backendRef": "BackendObjectRef",
  "ExternalAuth.grpc": "GRPCAuth",
  "ExternalAuth.http": "HTTPAuth",
  "RequestMirror.backendRef": "BackendObjectRef",
  urlRewrite: "URLRewrite",
  cors: "CORS",
  tls: "TLS",
  "TLS.backend": "BackendTLS",
  "TLS.frontend": "FrontendTLS",
  "FrontendTLS.default": "ClientValidation",
  "AllowedRoutes.namespaces": "RouteNamespaces",
  "AllowedListeners.namespaces": "ListenerNamespaces",
  forZones: "ForZone",
  "ConsistentHash.keys": "HashKey",
  "HashKey.cookie": "HashCookie",
  "Retry.backoff": "RetryBackoff",
  "Retry.budget": "RetryBudget",
  "HealthCheck.active": "ActiveCheck",
  "HealthCheck.passive": "PassiveCheck",
  "ActiveCheck.http": "HTTPCheck",
  "ActiveCheck.grpc": "GRPCCheck",
  "FaultInjection.delay": "FaultDelay",
  "FaultInjection.abort": "FaultAbort",
  "Compression.codings": "CompressionCoding",
  "Spec.http2": "HTTP2",
  "Spec.dns": "DNS",
  "Spec.responseOverride": "ResponseOverride",
  "ResponseOverride.response": "OverrideResponse",
  "ClientIPDetection.xForwardedFor": "XForwardedFor",
  forNodes: "ForNode",
};

/** Splits `schema` into named definitions. Names start with `kind` and tell the last part of the path. */
export function nameDefinitions(kind: string, schema: Schema): NamedSchema {
  const byText = new Map<string, string>();
  const originals = new Map<string, Schema>();
  collect(kind, schema, { byText, originals });
  const replace = (node: Schema): Schema => toReference(node, byText);
  const definitions: Record<string, Schema> = {};
  for (const [name, original] of originals) definitions[name] = replaceChildren(original, replace);
  return { root: replaceChildren(schema, replace), definitions };
}

interface Names {
  readonly byText: Map<string, string>;
  readonly originals: Map<string, Schema>;
}

interface Visit {
  readonly schema: Schema;
  /** Name parts from the kind down, without the kind. */
  readonly path: readonly string[];
}

function collect(kind: string, root: Schema, names: Names): void {
  const queue: Visit[] = childrenOf({ schema: root, path: [] });
  for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
    if (visit.schema.properties !== undefined) {
      const text = toDefinitionText(visit.schema);
      if (names.byText.has(text)) continue;
      const name = chooseName(kind, visit.path, names.originals);
      names.byText.set(text, name);
      const { default: _, ...definition } = visit.schema;
      names.originals.set(name, definition);
    }
    queue.push(...childrenOf(visit));
  }
}

function childrenOf({ schema, path }: Visit): Visit[] {
  const children: Visit[] = [];
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const isList = child.items !== undefined || typeof child.additionalProperties === "object";
    const word =
      preferredNames[`${path.at(-1) ?? ""}.${property}`] ??
      preferredNames[property] ??
      toPascalCase(isList ? toSingular(property) : property);
    children.push({ schema: child, path: [...path, word] });
  }
  if (schema.items !== undefined) children.push({ schema: schema.items, path });
  if (typeof schema.additionalProperties === "object") children.push({ schema: schema.additionalProperties, path });
  return children;
}

/** The shortest tail of the path that is still free. */
function chooseName(kind: string, path: readonly string[], taken: ReadonlyMap<string, Schema>): string {
  for (let from = path.length - 1; from >= 0; from--) {
    const name = kind + path.slice(from).join("");
    if (!taken.has(name)) return name;
  }
  throw new Error(`no name is left for ${kind} ${path.join(".")}`);
}

function toReference(node: Schema, byText: ReadonlyMap<string, string>): Schema {
  if (node.properties === undefined) return replaceChildren(node, (child) => toReference(child, byText));
  const name = byText.get(toDefinitionText(node));
  if (name === undefined) throw new Error("a schema was not collected");
  const reference: Schema = { $ref: `#/$defs/${name}` };
  return node.default === undefined ? reference : { ...reference, default: node.default };
}

function replaceChildren(node: Schema, replace: (child: Schema) => Schema): Schema {
  const copy: Schema = { ...node };
  if (node.items !== undefined) copy.items = replace(node.items);
  if (typeof node.additionalProperties === "object") copy.additionalProperties = replace(node.additionalProperties);
  if (node.properties !== undefined) {
    const entries = Object.entries(node.properties);
    copy.properties = Object.fromEntries(entries.map(([name, child]) => [name, replace(child)]));
  }
  return copy;
}

function toDefinitionText(schema: Schema): string {
  const { default: _, ...definition } = schema;
  return toCanonicalText(definition);
}

function toSingular(word: string): string {
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

function toPascalCase(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
