// Reads the API server's audit log: which requests an account made.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { SeenRequest } from "./comparison.ts";

const CREATED = 201;

/** The requests of a user in the log, each form of them once. */
export async function readRequests(file: string, user: string): Promise<readonly SeenRequest[]> {
  const seen = new Map<string, SeenRequest>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.includes(user)) continue;
    const request = toRequest(JSON.parse(line), user);
    if (request === undefined) continue;
    for (const each of [request, ...impliedBy(request)]) {
      const { verb, group, resource, namespace = "", name = "", code } = each;
      seen.set([verb, group, resource, namespace, name, code].join(" "), each);
    }
  }
  return [...seen.values()];
}

/** Server-side apply of what is not there yet needs the right to create it, too; the log calls it a patch that made something. */
function impliedBy(request: SeenRequest): readonly SeenRequest[] {
  return request.verb === "patch" && request.code === CREATED ? [{ ...request, verb: "create" }] : [];
}

/** Nothing where it is of somebody else, or about no resource (discovery). */
function toRequest(event: unknown, user: string): SeenRequest | undefined {
  const verb = textAt(event, "verb");
  const resource = textAt(event, "objectRef", "resource");
  if (verb === undefined || resource === undefined || textAt(event, "user", "username") !== user) return undefined;
  const subresource = textAt(event, "objectRef", "subresource");
  const namespace = textAt(event, "objectRef", "namespace");
  const name = textAt(event, "objectRef", "name");
  return {
    verb,
    group: textAt(event, "objectRef", "apiGroup") ?? "",
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    code: Number(valueAt(event, "responseStatus", "code") ?? 0),
  };
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : undefined;
}

function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !(key in found)) return undefined;
    found = Object.entries(found).find(([each]) => each === key)?.[1];
  }
  return found;
}
