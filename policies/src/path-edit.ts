/**
 * Path edits of redirects and rewrites. The query of the request is kept, unless the new path brings one of its own.
 * Values come from people, so what may not stand in a request target is percent-encoded when the policy is compiled.
 */
import type { PathEdit } from "@sallyport/model/policy";

/** The new path and query, from path and query of the request and the prefix its rule matched. */
export type EditPath = (path: string, matchedPrefix: string | undefined) => string;

/** Compiles an edit. A prefix edit leaves alone what no prefix matched (validation refuses such rules). */
export function compilePathEdit(edit: PathEdit): EditPath {
  return edit.kind === "full" ? compileFullPath(edit.value) : compilePrefix(edit.value);
}

/** Text as it may stand in a request target or Location: visible ASCII as it is, everything else as %XX of its UTF-8. */
export function toTargetText(text: string): string {
  return text.replace(/[^\x21-\x7e]|["<>\\^`{|}#]/gu, toPercentEncoded);
}

function toPercentEncoded(character: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(character)) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function compileFullPath(value: string): EditPath {
  const text = toTargetText(value);
  const full = text.startsWith("/") ? text : `/${text}`;
  if (full.includes("?")) return () => full;
  return (path) => {
    const query = path.indexOf("?");
    return query === -1 ? full : full + path.slice(query);
  };
}

function compilePrefix(value: string): EditPath {
  const text = toTargetText(value).replace(/\/+$/, "");
  const base = text === "" || text.startsWith("/") ? text : `/${text}`;
  return (path, matchedPrefix) => {
    if (matchedPrefix === undefined || !path.startsWith(matchedPrefix)) return path;
    const rest = path.slice(matchedPrefix.length);
    if (base === "") return toRooted(rest);
    // Without a slash the rest begins with the query, or there is none: the prefix was the whole path.
    return base + rest;
  };
}

/** One leading slash: `//host/x` would read as an authority to whoever resolves it as a reference. */
function toRooted(rest: string): string {
  let start = 0;
  while (rest.charCodeAt(start) === 0x2f) start++;
  return `/${rest.slice(start)}`;
}
