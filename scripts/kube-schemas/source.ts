/** Reads the published schemas: downloads the Go modules that carry them and takes out one raw schema per kind. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { gatewayApiModule, kubernetesModule } from "./kinds.ts";
import type { CrdKind, KindSource, OpenApiKind, SourceModule } from "./kinds.ts";
import { toCanonicalText, toObject } from "./schema.ts";
import type { JsonObject } from "./schema.ts";

/** One kind as published: its identity and its raw schema, prose included. */
export interface RawKind {
  readonly kind: string;
  readonly group: string;
  /** Served versions whose schema is the storage version's, storage version first. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema: JsonObject;
  /** Named schemas that `$ref`s of `schema` point to, by full reference. */
  readonly references: ReadonlyMap<string, JsonObject>;
}

/** Where the CustomResourceDefinitions of our own kinds are. */
const ownCrds = join(import.meta.dirname, "../../charts/sallyport/crds");

/** Downloads what is needed and returns the raw schema of every kind. */
export function readRawKinds(sources: readonly KindSource[]): RawKind[] {
  const gatewayApi = downloadModule(gatewayApiModule);
  const kubernetes = downloadModule(kubernetesModule);
  return sources.map((source) => {
    if (source.from === "openapi") return readOpenApi(kubernetes, source);
    return readCrd(source.from === "own-crd" ? ownCrds : join(gatewayApi, "config/crd/experimental"), source);
  });
}

/** The object metadata schema every kind shares, as published. */
export function readRawMetadata(): RawKind {
  return readOpenApi(downloadModule(kubernetesModule), {
    from: "openapi",
    kind: "ObjectMeta",
    file: "api__v1_openapi.json",
    schema: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    group: "",
    version: "v1",
    plural: "",
    namespaced: true,
  });
}

function downloadModule(module: SourceModule): string {
  const text = execFileSync("go", ["mod", "download", "-json", `${module.path}@${module.version}`], {
    cwd: tmpdir(),
    encoding: "utf8",
    env: { ...process.env, GO111MODULE: "on", GOFLAGS: "-mod=mod" },
  });
  const directory = toObject(JSON.parse(text), "go mod download")["Dir"];
  if (typeof directory !== "string") throw new Error(`${module.path}@${module.version} was not downloaded`);
  return directory;
}

function readCrd(directory: string, source: CrdKind): RawKind {
  const text = readFileSync(join(directory, source.file), "utf8");
  const spec = toObject(toObject(parseDocument(text).toJS(), source.file)["spec"], source.file);
  const names = toObject(spec["names"], source.file);
  const versions = toArray(spec["versions"], source.file).map((entry) => toObject(entry, source.file));
  const storage = versions.find((version) => version["storage"] === true);
  if (storage === undefined || names["kind"] !== source.kind) throw new Error(`${source.file}: unexpected content`);
  const wanted = toCanonicalText(stripProse(toCrdSchema(storage)));
  const same = versions.filter(
    (version) => version["served"] === true && toCanonicalText(stripProse(toCrdSchema(version))) === wanted,
  );
  return {
    kind: source.kind,
    group: String(spec["group"]),
    versions: same.map((version) => String(version["name"])).toSorted(compareVersions),
    plural: String(names["plural"]),
    namespaced: spec["scope"] === "Namespaced",
    schema: toCrdSchema(storage),
    references: new Map(),
  };
}

function readOpenApi(directory: string, source: OpenApiKind): RawKind {
  const text = readFileSync(join(directory, "api/openapi-spec/v3", source.file), "utf8");
  const components = toObject(toObject(JSON.parse(text), source.file)["components"], source.file);
  const schemas = toObject(components["schemas"], source.file);
  const references = new Map(
    Object.entries(schemas).map(([name, schema]) => [`#/components/schemas/${name}`, toObject(schema, name)]),
  );
  const schema = toObject(schemas[source.schema], source.schema);
  const { kind, group, version, plural, namespaced } = source;
  return { kind, group, versions: [version], plural, namespaced, schema, references };
}

function toCrdSchema(version: JsonObject): JsonObject {
  return toObject(toObject(version["schema"], "version")["openAPIV3Schema"], "schema");
}

function toArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what}: expected an array`);
  return value;
}

/** `v1` before `v1beta1` before `v1alpha3`; that order is also how the versions are shown to users. */
function compareVersions(a: string, b: string): number {
  const rank = (version: string): string => version.replace(/^v(\d+)$/, "v$1~").replace("beta", "m");
  return rank(a) < rank(b) ? 1 : -1;
}

function stripProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripProse);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => key !== "description" || typeof inner !== "string");
  return Object.fromEntries(kept.map(([key, inner]) => [key, stripProse(inner)]));
}
