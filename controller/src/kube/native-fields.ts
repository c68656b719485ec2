/** What the API server does to objects of built-in kinds in code rather than by schema. */
import type { FieldIssue } from "./field-issue.ts";
import { isRecord } from "./field-path.ts";
import { SecretValue } from "./secret.ts";

/** Sets map entries that are texts but were left empty to "", as the API server does: `data: {note: }`. */
export function fillEmptyTexts(raw: Record<string, unknown>): void {
  const metadata = isRecord(raw["metadata"]) ? raw["metadata"] : {};
  for (const map of [raw["data"], raw["stringData"], metadata["labels"], metadata["annotations"]]) {
    if (!isRecord(map)) continue;
    for (const [key, value] of Object.entries(map)) if (value === null) map[key] = "";
  }
}

/** Removes fields that are null: to the API server they are absent, and get their default. */
export function removeNulls(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) removeNulls(item);
  if (!isRecord(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null) delete value[key];
    else removeNulls(inner);
  }
}

/** Completes the checked body of a Service: `targetPort` is by default the port itself, and port names must differ. */
export function completeService(body: Record<string, unknown>): FieldIssue[] {
  const spec = isRecord(body["spec"]) ? body["spec"] : {};
  const ports: readonly unknown[] = Array.isArray(spec["ports"]) ? spec["ports"] : [];
  const issues: FieldIssue[] = [];
  const names = new Set<unknown>();
  for (const [index, port] of ports.entries()) {
    if (!isRecord(port)) continue;
    if (port["targetPort"] === 0 || port["targetPort"] === "") port["targetPort"] = port["port"];
    if (port["name"] !== undefined && names.has(port["name"])) issues.push(toDuplicateName(index));
    names.add(port["name"]);
  }
  return issues;
}

function toDuplicateName(index: number): FieldIssue {
  const path = ["spec", "ports", index, "name"];
  return { code: "invalid-value", severity: "error", message: "port names must be unique", path, at: "value" };
}

/** Decodes the values of a checked Secret: `data` from base64, then `stringData` over it. */
export function decodeSecret(body: Record<string, unknown>): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const values: Record<string, SecretValue> = {};
  for (const [key, text] of Object.entries(isRecord(body["data"]) ? body["data"] : {})) {
    const bytes = decodeBase64(String(text));
    if (bytes !== undefined) values[key] = new SecretValue(bytes);
    else issues.push(toBadBase64(key));
  }
  for (const [key, text] of Object.entries(isRecord(body["stringData"]) ? body["stringData"] : {}))
    values[key] = new SecretValue(Buffer.from(String(text), "utf8"));
  body["data"] = values;
  delete body["stringData"];
  return issues;
}

function decodeBase64(text: string): Uint8Array | undefined {
  const plain = text.replaceAll(/[\r\n]/g, "");
  const isBase64 = plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain);
  return isBase64 ? Uint8Array.from(Buffer.from(plain, "base64")) : undefined;
}

function toBadBase64(key: string): FieldIssue {
  const hint = "base64 comes in groups of four characters; use stringData for plain text";
  const message = "must be base64";
  return { code: "invalid-value", severity: "error", message, path: ["data", key], at: "value", hint };
}
