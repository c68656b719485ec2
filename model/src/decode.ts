/**
 * Turns unknown data into resources. The validators are compiled ahead from the TypeBox schemas
 * (scripts/generate-resource-validators.ts), so that a proxy needs no schema compiler.
 */
import type { DefinedError } from "ajv";
import * as validators from "./generated/resource-validators.js";
import { fail, ok, type Result } from "./result.ts";
import type { Resource, ResourceKind } from "./snapshot.ts";

const validatorOf: Readonly<Record<ResourceKind, validators.Validator<Resource>>> = {
  listener: validators.listener,
  "http-route": validators.httpRoute,
  "stream-route": validators.streamRoute,
  cluster: validators.cluster,
  endpoints: validators.endpoints,
  secret: validators.secret,
  authorities: validators.authorities,
  page: validators.page,
};

/** A resource from outside, or one sentence about its first flaw. Key material never gets into that sentence. */
export function decodeResource(value: unknown): Result<Resource, string> {
  const kind = toKind(value);
  if (kind === undefined) return fail("not a resource: the field kind names none");
  const validate = validatorOf[kind];
  if (validate(value)) return ok(value);
  const flaw = validate.errors?.[0];
  return fail(flaw === undefined ? `${kind}: invalid` : `${kind}: ${toSentence(flaw)}`);
}

function toKind(value: unknown): ResourceKind | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  const { kind } = value;
  return typeof kind === "string" && isResourceKind(kind) ? kind : undefined;
}

function isResourceKind(kind: string): kind is ResourceKind {
  return Object.hasOwn(validatorOf, kind);
}

function toSentence(flaw: DefinedError): string {
  const path = flaw.instancePath.slice(1).replaceAll("/", ".");
  return `${path === "" ? "the resource" : path} ${flaw.message ?? "is invalid"}`;
}
