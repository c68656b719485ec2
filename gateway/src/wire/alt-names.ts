/** The subject alternative names of a certificate, as Node writes them. */

/** One alternative name. */
export interface AltName {
  /** As Node has it: `DNS`, `URI`, `IP Address`. */
  readonly type: string;
  readonly value: string;
}

/**
 * Node's text of subject alternative names. Names that hold a comma, a quote or anything unusual stand as JSON strings, so
 * that no name can be taken for two (CVE-2021-44531, CVE-2021-44532). Throws where the text is not as documented.
 */
export function parseAltNames(text: string): readonly AltName[] {
  const names: AltName[] = [];
  for (let at = 0; at < text.length;) {
    const colon = text.indexOf(":", at);
    if (colon < 0) throw new Error("an alternative name has no type");
    const type = text.slice(at, colon);
    const end = findEnd(text, colon + 1);
    const written = text.slice(colon + 1, end);
    names.push({ type, value: written.startsWith('"') ? parseQuoted(written) : written });
    if (end < text.length && !text.startsWith(", ", end)) throw new Error("alternative names are not separated");
    at = end + 2;
  }
  return names;
}

/** The next comma outside of quotes, or the end. */
function findEnd(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ",") return at;
  }
  if (quoted) throw new Error("an alternative name does not end");
  return text.length;
}

function parseQuoted(written: string): string {
  const value: unknown = JSON.parse(written);
  if (typeof value !== "string") throw new Error("an alternative name is no string");
  return value;
}
