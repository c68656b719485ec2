// Builds the requests of each workload as bytes, once: the closed-loop and the open-loop client replay the same ones.
import { backendPaths } from "./backend.ts";
import { hostName, manyRoutes } from "./sallyport-objects.ts";

/** Host of all requests that are not spread over hosts. */
export const benchHost = "bench.example.test";

const userAgents = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
  "okhttp/5.1.0",
  "curl/8.14.1",
] as const;

/** One head, always the same. */
export function fixedRequests(): readonly string[] {
  return [get(backendPaths.fixed, benchHost, [`User-Agent: ${userAgents[0]}`, "Accept: */*", "Accept-Language: en"])];
}

/** So many different heads: path, query, cookie, user agent and length all vary. A prime count never falls into step. */
export function varyingRequests(count = 1009): readonly string[] {
  const random = sequence(1);
  return Array.from({ length: count }, (_, index) => {
    const path = `/shop/${word(random)}/${word(random)}-${index}?page=${index % 17}&sort=${word(random)}`;
    return get(path, benchHost, varyingFields(index, random));
  });
}

/** One request for each of the many routes, in an order that jumps between hosts. */
export function routeRequests(): readonly string[] {
  const random = sequence(2);
  const count = manyRoutes.hosts * manyRoutes.pathsPerHost;
  return Array.from({ length: count }, (_, index) => {
    // 7919 shares no factor with the count, so that every route comes once and neighbours are far apart.
    const route = (index * 7919) % count;
    const path = `/part-${route % manyRoutes.pathsPerHost}/${word(random)}-${index}`;
    return get(path, hostName(Math.floor(route / manyRoutes.pathsPerHost)), varyingFields(index, random));
  });
}

/** Requests of an application: forty paths, each with so many queries, so that hardly one head comes twice. */
export function applicationRequests(queries = 101): readonly string[] {
  const random = sequence(3);
  const paths = Array.from({ length: 40 }, () => `${backendPaths.application}${word(random)}/${word(random)}`);
  return Array.from({ length: paths.length * queries }, (_, index) => {
    const path = `${paths[index % paths.length] ?? ""}?page=${index}&sort=${word(random)}&token=${word(random)}`;
    return get(path, benchHost, varyingFields(index, random));
  });
}

/** Unary gRPC calls of one method, with a message of so many bytes; its prefix is left to who sends it, since NUL bytes separate requests. */
export function grpcRequests(method: string, messageBytes: number): readonly string[] {
  const fields = ["User-Agent: grpc-go/1.82.1", "Content-Type: application/grpc", "TE: trailers"];
  return [message("POST", `/bench.Bench/${method}`, benchHost, fields) + "x".repeat(messageBytes)];
}

/** A message with gRPC's prefix of five bytes: not compressed, and its length. */
export function grpcMessage(bytes: string): string {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return prefix.toString("latin1") + bytes;
}

/** GET of one path with the fields of a browser. */
export function pathRequests(path: string): readonly string[] {
  return [get(path, benchHost, [`User-Agent: ${userAgents[2]}`, "Accept: */*", "Accept-Encoding: identity"])];
}

/** POST of a body of so many bytes, to where the answer does not wait for it or to where it does. */
export function postRequests(bytes: number, path: string = backendPaths.sink): readonly string[] {
  const fields = [`User-Agent: ${userAgents[3]}`, "Content-Type: application/octet-stream", `Content-Length: ${bytes}`];
  return [message("POST", path, benchHost, fields) + "x".repeat(bytes)];
}

function varyingFields(index: number, random: () => number): readonly string[] {
  const fields = [
    `User-Agent: ${userAgents[index % userAgents.length] ?? ""}`,
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7",
    `Cookie: session=${word(random)}${word(random)}${index}; theme=${word(random)}; visits=${index % 211}`,
  ];
  if (index % 3 === 0) fields.push(`Referer: https://${benchHost}/${word(random)}`);
  return fields;
}

function get(path: string, host: string, fields: readonly string[]): string {
  return message("GET", path, host, fields);
}

function message(method: string, path: string, host: string, fields: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...fields, "", ""].join("\r\n");
}

function word(random: () => number): string {
  const length = 4 + Math.floor(random() * 12);
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join("");
}

/** The same numbers in every run (Park and Miller's generator), so that two runs send the same bytes. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
