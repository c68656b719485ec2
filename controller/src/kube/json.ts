/** JSON of any shape, as the API server has it: what others write is read as carefully as what users write. */
import { isRecord } from "./field-path.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value if it is an object, else an empty one. */
export function toObject(value: unknown): JsonObject {
  return isRecord(value) ? value : {};
}

/** The objects of a list; nothing of what is no list. */
export function toObjects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
