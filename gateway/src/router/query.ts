/**
 * Query parameters, as application/x-www-form-urlencoded (WHATWG URL, 5.1): `+` is a space, `%XX` is a byte of UTF-8,
 * what is no escape stands for itself. Names and values are compared decoded, so that no spelling of a parameter that the
 * backend understands gets around a route (Envoy compares them as they came). Of a repeated parameter the first counts.
 */

/** The first value of a parameter; "" where it has no `=`; undefined where it is not there. */
export function findQueryValue(query: string, name: string): string | undefined {
  return ENCODED.test(query) ? findEncoded(query, name) : findPlain(query, name);
}

/** What decoding changes; bytes of UTF-8 are U+0080 to U+00FF here. */
const ENCODED = /[%+\u0080-\u00ff]/;

function findPlain(query: string, name: string): string | undefined {
  let start = 0;
  while (start < query.length) {
    const end = findEnd(query, start);
    const nameEnd = start + name.length;
    if (nameEnd <= end && end > start && query.startsWith(name, start)) {
      if (nameEnd === end) return "";
      if (query.charCodeAt(nameEnd) === 0x3d) return query.slice(nameEnd + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

function findEncoded(query: string, name: string): string | undefined {
  let start = 0;
  while (start < query.length) {
    const end = findEnd(query, start);
    const equals = query.indexOf("=", start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (end > start && decode(query.slice(start, nameEnd)) === name) {
      return nameEnd === end ? "" : decode(query.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return undefined;
}

function findEnd(query: string, start: number): number {
  const end = query.indexOf("&", start);
  return end === -1 ? query.length : end;
}

function decode(text: string): string {
  if (!ENCODED.test(text)) return text;
  const bytes = text
    .replaceAll("+", " ")
    .replace(/%([0-9a-fA-F]{2})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
