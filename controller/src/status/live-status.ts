/** What an object of the world, or an answer of the API server, says of the status an object has. */
import type { ObjectRef } from "@sallyport/model/problem";
import type { Kind, WorldObject } from "../world/world.ts";
import { type JsonObject, toObject } from "../kube/json.ts";

/** The state of an object that a write is based on. */
export interface LiveStatus {
  readonly resourceVersion: string;
  readonly generation: number;
  readonly status: unknown;
}

/** The status of an object as the world has it. */
export function toLive(object: WorldObject<Kind>): LiveStatus {
  const { resourceVersion = "", generation = 0 } = object.object.metadata;
  return { resourceVersion, generation, status: statusOf(object) };
}

/** Decoders keep the status of objects from an API server as it is, and no type says so. */
export function statusOf({ object }: WorldObject<Kind>): unknown {
  return "status" in object ? object.status : undefined;
}

/** The status of an object as the API server answers. */
export function toAnswer(answer: JsonObject): LiveStatus {
  const metadata = toObject(answer["metadata"]);
  const { resourceVersion, generation } = metadata;
  return {
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
    generation: typeof generation === "number" ? generation : 0,
    status: answer["status"],
  };
}

/** What names an object of the world. */
export function toRef({ kind, namespace, name, object: { apiVersion } }: WorldObject<Kind>): ObjectRef {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return { group, kind, namespace, name };
}

/** Key of an object in maps. */
export function toKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** An object as people read it. */
export function toText({ kind, namespace, name }: ObjectRef): string {
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
