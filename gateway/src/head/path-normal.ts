/**
 * Normal form of a request path, made before anything looks at it, so that a route and the backend behind it cannot see
 * two different paths. Follows Envoy's edge guide (normalize_path, merge_slashes, path_with_escaped_slashes_action).
 * The query is not touched.
 *
 * In order: malformed escapes are refused, escaped unreserved characters are decoded (RFC 3986 section 6.2.2.2: `/%61` is
 * `/a`), `\` becomes `/`, escaped slashes are dealt with, dot segments go (section 5.2.4), slashes merge.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";

/** What normalising a path gave. */
export type NormalPath =
  | { readonly kind: "path"; readonly path: string }
  /** Clients are sent to this path instead (307). */
  | { readonly kind: "redirect"; readonly path: string }
  | { readonly kind: "refused" };

/** What it depends on. */
export type NormalPathOptions = Pick<HttpServerOptions, "mergeSlashes" | "escapedSlashes">;

const REFUSED: NormalPath = { kind: "refused" };
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ESCAPED_SLASH = /%(?:2f|5c)/gi;

/** Normalises a path that begins with `/` and may be followed by a query. */
export function normalisePath(target: string, options: NormalPathOptions): NormalPath {
  const mark = target.indexOf("?");
  const query = mark < 0 ? "" : target.slice(mark);
  const decoded = decodeUnreserved(mark < 0 ? target : target.slice(0, mark));
  if (decoded === undefined) return REFUSED;
  let path = decoded.replaceAll("\\", "/");
  let unescaped = false;
  if (options.escapedSlashes !== "keep" && path.search(ESCAPED_SLASH) >= 0) {
    if (options.escapedSlashes === "reject") return REFUSED;
    path = path.replace(ESCAPED_SLASH, "/");
    unescaped = true;
  }
  const flat = removeDotSegments(path);
  if (flat === undefined) return REFUSED;
  path = flat;
  if (options.mergeSlashes) path = path.replace(/\/{2,}/g, "/");
  const redirect = unescaped && options.escapedSlashes === "unescape-and-redirect";
  return { kind: redirect ? "redirect" : "path", path: path + query };
}

/** Decodes what needs no escape; undefined where an escape is malformed or hides a NUL. */
function decodeUnreserved(path: string): string | undefined {
  let at = path.indexOf("%");
  if (at < 0) return path;
  let out = "";
  let done = 0;
  for (; at >= 0; at = path.indexOf("%", at + 3)) {
    const digits = path.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits) || digits === "00") return undefined;
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    if (!UNRESERVED.test(character)) continue;
    out += path.slice(done, at) + character;
    done = at + 3;
  }
  return out + path.slice(done);
}

/** RFC 3986 section 5.2.4, for absolute paths. Empty segments stay, and `..` removes one; undefined where there is none. */
function removeDotSegments(path: string): string | undefined {
  if (!path.includes("/.")) return path;
  const segments: string[] = [];
  const parts = path.split("/");
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i] ?? "";
    const last = i === parts.length - 1;
    if (part === "." || part === "..") {
      if (part === ".." && segments.pop() === undefined) return undefined;
      if (last) segments.push("");
    } else segments.push(part);
  }
  return `/${segments.join("/")}`;
}
