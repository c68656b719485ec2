/** What an object of the API server has of the fields that we apply: it tells whether somebody else changed them. */
import { createHash } from "node:crypto";
import { isRecord } from "../kube/field-path.ts";
import type { Manifest } from "./manifest.ts";

/** A hash of the manifest. */
export function hashManifest(manifest: Manifest): string {
  const known = hashes.get(manifest) ?? hash(manifest);
  hashes.set(manifest, known);
  return known;
}

/** Plans that did not change have the same manifests. */
const hashes = new WeakMap<Manifest, string>();

/**
 * A hash of what `live` has where `manifest` says something. Lists count as a whole, with what the server added: it is to be compared
 * with that of the answer to an apply, never with the manifest itself.
 */
export function hashProjection(live: unknown, manifest: Manifest): string {
  return hash(project(live, manifest));
}

function project(live: unknown, wanted: unknown): unknown {
  if (!isRecord(wanted) || !isRecord(live)) return live;
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, project(live[name], wanted[name])]));
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22);
}
