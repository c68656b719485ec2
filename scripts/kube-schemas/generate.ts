/** Puts the generated files together: name -> content, relative to controller/src/kube/generated. */
import { nameDefinitions } from "./definitions.ts";
import type { NamedSchema } from "./definitions.ts";
import { kindSources } from "./kinds.ts";
import { completeNative } from "./native.ts";
import type { Schema } from "./schema.ts";
import { readRawKinds, readRawMetadata } from "./source.ts";
import type { RawKind } from "./source.ts";
import { toStructural } from "./structural.ts";
import { emitTable } from "./table.ts";
import { emitMetadataTypes, emitTypes } from "./types.ts";
import { emitValidator } from "./validators.ts";

/** Generates everything from the published schemas, which are downloaded if they are not in Go's module cache. */
export function generateFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const kinds = readRawKinds(kindSources);
  for (const raw of kinds) addKind(files, raw);
  const metadata = nameDefinitions("ObjectMeta", toSchema(readRawMetadata()));
  files.set("types/object-meta.ts", emitMetadataTypes(metadata));
  addChecks(files, "object-meta", metadata);
  files.set("kinds.ts", emitTable(kinds.map((raw) => ({ ...raw, stem: toStem(raw.kind) }))));
  return files;
}

function addKind(files: Map<string, string>, raw: RawKind): void {
  const { kind, group, versions } = raw;
  const schema = nameDefinitions(kind, toSchema(raw));
  const stem = toStem(kind);
  files.set(`types/${stem}.ts`, emitTypes({ kind, group, version: versions[0] ?? "v1", schema }));
  addChecks(files, stem, schema);
}

function addChecks(files: Map<string, string>, stem: string, schema: NamedSchema): void {
  const { code, declarations } = emitValidator(schema);
  files.set(`validators/${stem}.js`, code);
  files.set(`validators/${stem}.d.ts`, declarations);
  files.set(`schemas/${stem}.json`, `${JSON.stringify({ ...schema.root, $defs: schema.definitions }, null, 1)}\n`);
}

/**
 * Structural schema without what is checked apart: type and metadata of an object, and fields only servers write. A status
 * is what a controller has said so far: its default (`Unknown` conditions) is the API server's to set.
 */
function toSchema(raw: RawKind): Schema {
  const structural = toStructural(raw.schema, raw.references, raw.kind);
  const schema = raw.references.size === 0 ? structural : completeNative(raw.kind, structural);
  const properties = { ...schema.properties };
  for (const name of ["apiVersion", "kind", "metadata", "managedFields"]) delete properties[name];
  if (properties["status"] !== undefined) properties["status"] = withoutDefault(properties["status"]);
  return { ...schema, properties };
}

function withoutDefault(schema: Schema): Schema {
  const { default: _, ...rest } = schema;
  return rest;
}

/** `HTTPRoute` -> `http-route`, `EndpointSlice` -> `endpoint-slice`. */
function toStem(kind: string): string {
  return kind
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .toLowerCase();
}
