import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { isObject, toObject } from "../kube-schemas/schema.ts";
import type { JsonObject } from "../kube-schemas/schema.ts";
import { emitDefinition, toFileName } from "./definition.ts";
import { ownKinds } from "./own-kinds.ts";
import { renderFieldReference } from "./reference.ts";

interface Node {
  readonly path: string;
  readonly schema: JsonObject;
}

/** All parts of a schema, with where they are. */
function nodesOf(path: string, schema: JsonObject): readonly Node[] {
  const properties = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  const below = properties.flatMap(([name, field]) => nodesOf(`${path}.${name}`, toObject(field, name)));
  const inner = [schema["items"], schema["additionalProperties"]].filter(isObject);
  return [{ path, schema }, ...below, ...inner.flatMap((item) => nodesOf(`${path}[]`, item))];
}

for (const own of ownKinds) {
  const nodes = nodesOf("", toObject(own.schema, own.kind));

  test(`the committed CRD and reference of ${own.kind} are those of today's schema`, () => {
    const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
    assert.equal(read(`charts/sallyport/crds/${toFileName(own)}`), emitDefinition(own));
    assert.ok(read(own.page).includes(renderFieldReference(own)));
  });

  test(`every field of ${own.kind} says what it is`, () => {
    for (const { path, schema } of nodes) assert.match(String(schema["description"]), /\w.*\.$/s, path);
  });

  test(`everything in ${own.kind} has a bound, by which the API server estimates what rules cost`, () => {
    const needed = { string: "maxLength", array: "maxItems", integer: "maximum", number: "maximum" };
    for (const { path, schema } of nodes) {
      if (schema["enum"] !== undefined || schema["format"] === "date-time") continue;
      const keyword = Object.entries(needed).find(([type]) => type === schema["type"])?.[1];
      if (keyword !== undefined) assert.equal(typeof schema[keyword], "number", `${path} has no ${keyword}`);
      if (schema["additionalProperties"] !== undefined) assert.equal(typeof schema["maxProperties"], "number", path);
    }
  });

  test(`fields of ${own.kind}'s spec are absent where nobody sets them, so that they can be inherited`, () => {
    for (const { path, schema } of nodes)
      if (/^\.spec(\.\w+)?$/.test(path)) assert.equal(schema["default"], undefined, path);
  });

  test(`words that YAML 1.1 takes for true or false are no fields of ${own.kind}`, () => {
    for (const { path } of nodes) assert.doesNotMatch(path, /\.(on|off|yes|no|y|n)(\.|\[|$)/i);
  });
}

test("what is written is YAML that says what the schema says", () => {
  for (const own of ownKinds) {
    const crd = toObject(parse(emitDefinition(own)), own.kind);
    const [version] = toObject(crd["spec"], "spec")["versions"] as readonly JsonObject[];
    const written = toObject(toObject(version?.["schema"], "schema")["openAPIV3Schema"], "openAPIV3Schema");
    const { spec, status } = toObject(toObject(own.schema, own.kind)["properties"], "properties");
    const { properties } = written;
    assert.deepEqual(toObject(properties, "properties")["spec"], JSON.parse(JSON.stringify(spec)));
    assert.deepEqual(toObject(properties, "properties")["status"], JSON.parse(JSON.stringify(status)));
  }
});
