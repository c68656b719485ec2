/**
 * Compresses answers where the client takes it (RFC 9110 section 12.5.3). Whether an answer could be compressed is told to caches
 * (Vary) whatever this client takes; whether it is, the client says.
 */
import type { CompressionPolicy } from "@sallyport/model/policy";
import { chooseCoding } from "./accept-encoding.ts";
import type { ContentCoding, Filter, RequestView, ResponseView } from "./filter.ts";

type Name = ContentCoding["name"];

/** Lowest, highest and default level. Beyond the highest one coder alone may take hundreds of megabytes. */
const LEVELS: Readonly<Record<Name, readonly [least: number, most: number, usual: number]>> = {
  gzip: [1, 9, 4],
  br: [0, 6, 3],
  zstd: [1, 6, 3],
};

/** Compiles the policy. */
export function compileCompression(policy: CompressionPolicy): Filter {
  const codings = policy.codings.map(toCoding);
  const names = codings.map(({ name }) => name);
  const isListed = compileMediaTypes(policy.contentTypes);
  const choose = rememberLast((accept) => {
    const name = chooseCoding(accept, names);
    return codings.find((coding) => coding.name === name);
  });
  const { minimumLength } = policy;
  return {
    deterministic: true,
    // calls of gRPC compress their messages themselves; of tunnels nobody knows what they carry
    concerns: (request) => !request.isGrpc && request.method !== "CONNECT",
    onResponse(response, request) {
      const { status } = response;
      if (status === NOT_MODIFIED) {
        confirm(response, choose(request.header("accept-encoding")) !== undefined);
        return;
      }
      if (!isWhole(status) || !isListed(response.header("content-type"))) return;
      if (response.bodyLength !== undefined && response.bodyLength < minimumLength) return;
      if (!mayTransform(response, request)) return;
      addVary(response);
      const coding = choose(request.header("accept-encoding"));
      if (coding !== undefined) response.encodeBody(coding);
    },
  };
}

const NOT_MODIFIED = 304;

/** Statuses whose body is all of it. */
function isWhole(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 205 && status !== 206;
}

function toCoding({ name, level }: CompressionPolicy["codings"][number]): ContentCoding {
  const [least, most, usual] = LEVELS[name];
  return { name, level: Math.min(most, Math.max(least, level ?? usual)) };
}

/** Clients say the same again and again. */
function rememberLast<T>(choose: (accept: string) => T | undefined): (accept: string | undefined) => T | undefined {
  let last = "";
  let chosen: T | undefined = undefined;
  return (accept = "") => {
    if (accept === last) return chosen;
    chosen = choose(accept);
    last = accept;
    return chosen;
  };
}

/** Whether a content type is in the list; parameters do not count. gRPC and gRPC-Web frame their messages themselves. */
function compileMediaTypes(types: readonly string[]): (contentType: string | undefined) => boolean {
  const exact = new Set(types.map((type) => type.toLowerCase()));
  return (contentType) => {
    if (contentType === undefined) return false;
    const semicolon = contentType.indexOf(";");
    const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
    if (type.startsWith("application/grpc")) return false;
    return exact.has(type) || exact.has(`${type.slice(0, type.indexOf("/"))}/*`) || exact.has("*/*");
  };
}

/** RFC 9110 section 7.7, RFC 9111 sections 5.2.1.6 and 5.2.2.6: unless somebody forbids it, or a part or coding is there already. */
function mayTransform(response: ResponseView, request: RequestView): boolean {
  if (response.header("content-encoding") !== undefined || response.header("content-range") !== undefined) return false;
  return !forbids(response.header("cache-control")) && !forbids(request.header("cache-control"));
}

function forbids(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && /(?:^|,)[ \t]*no-transform[ \t]*(?:,|$)/i.test(cacheControl);
}

/**
 * RFC 9110 section 15.4.5: 304 says what the 200 would have said. What was stored compressed has a weak validator, and a cache would
 * not know it again by a strong one (RFC 9111 section 4.3.4).
 */
function confirm(response: ResponseView, encoded: boolean): void {
  addVary(response);
  const tag = response.header("etag");
  if (encoded && tag?.startsWith('"') === true) response.setHeader("etag", `W/${tag}`);
}

function addVary(response: ResponseView): void {
  const vary = response.header("vary");
  if (vary === undefined || !/(?:^|,)[ \t]*(?:accept-encoding|\*)[ \t]*(?:,|$)/i.test(vary))
    response.addHeader("vary", "Accept-Encoding");
}
