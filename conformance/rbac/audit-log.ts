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
    for (const each of toRequests(JSON.parse(line), user)) {
      const { verb, group, resource, namespace = "", name = "", decision } = each;
      seen.set([verb, group, resource, namespace, name, decision].join(" "), each);
    }
  }
  return [...seen.values()];
}

/** None where it is of somebody else, or about no resource (discovery). */
function toRequests(event: unknown, user: string): readonly SeenRequest[] {
  const verb = textAt(event, "verb");
  const resource = textAt(event, "objectRef", "resource");
  if (verb === undefined || resource === undefined || textAt(event, "user", "username") !== user) return [];
  const subresource = textAt(event, "objectRef", "subresource");
  const namespace = textAt(event, "objectRef", "namespace");
  const name = textAt(event, "objectRef", "name");
  const request: SeenRequest = {
    verb,
    group: textAt(event, "objectRef", "apiGroup") ?? "",
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    // Admission refuses as well, such as what is to be made in a namespace that ends: that is not the roles' affair.
    decision: textAt(event, "annotations", "authorization.k8s.io/decision") === "forbid" ? "forbid" : "allow",
  };
  // Server-side apply of what is not there yet needs the right to create it, too; the log calls it a patch that made something.
  const makes = verb === "patch" && valueAt(event, "responseStatus", "code") === CREATED;
  return makes ? [request, { ...request, verb: "create" }] : [request];
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
