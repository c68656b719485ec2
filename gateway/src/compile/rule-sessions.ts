/** How the clients of a rule keep their endpoint: which backend a session leads to, and for which paths its cookie is. */
import type { HttpMatch } from "@sallyport/model/match";
import type { HttpRule } from "@sallyport/model/route";
import type { CompiledBackend, CompiledSession } from "../router/contract.ts";
import { toClusterMark } from "../session/endpoint-session.ts";

/**
 * Compiles the session of a rule; undefined where it has none, or one whose name no cookie or field can have (whoever made the snapshot
 * should have refused it, but a rule must not keep all others from being served). Backends of weight 0 are among
 * those it leads to.
 */
export function compileSession(
  { session }: HttpRule,
  backends: readonly { readonly value: CompiledBackend }[],
): CompiledSession | undefined {
  if (session === undefined || !NAME.test(session.carrier.name)) return undefined;
  const marked = new Map<string, CompiledBackend>();
  for (const { value } of backends) {
    const mark = value.cluster === undefined ? undefined : toClusterMark(value.cluster.key);
    // of two with one cluster the first: nothing in a session tells them apart
    if (mark !== undefined && !marked.has(mark)) marked.set(mark, value);
  }
  return { policy: session, backends: marked };
}

/** A token (RFC 9110 section 5.6.2): anything else would put more into a field than a cookie, or be no name of a field. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The paths that a match takes, as far as a cookie can say that (GEP-1619, Cookie Attributes, Path): all below an exact path or a
 * prefix, and of an expression the folder that its plain beginning is in.
 */
export function toCookiePath({ path }: HttpMatch): string {
  const plain = path.kind === "regex" ? toFolder(toLiteral(path.value)) : path.value;
  const sendable = UNSENDABLE.test(plain) ? toFolder(plain.slice(0, plain.search(UNSENDABLE))) : plain;
  return sendable.length > 1 && sendable.endsWith("/") ? sendable.slice(0, -1) : sendable || "/";
}

/** What every path that an expression of RE2 takes begins with, if that can be told by its first characters. */
function toLiteral(expression: string): string {
  return expression.includes("|") ? "" : (LITERAL.exec(expression)?.[0] ?? "").replace("^", "");
}

/** What stands for itself, up to the first character that may be repeated or left out. */
const LITERAL = /^\^?(?:[A-Za-z0-9/_~%!@&=,:-](?![*+?{|]))*/;
/** What ends an attribute, or is none of a field's characters (RFC 6265 section 4.1.1, path-value). */
const UNSENDABLE = /[^\x20-\x3a\x3c-\x7e]/;

function toFolder(path: string): string {
  const start = path.indexOf("/");
  return start === -1 ? "" : path.slice(start, path.lastIndexOf("/") + 1);
}
