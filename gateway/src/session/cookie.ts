/** Cookies as a proxy reads and sets them (RFC 6265). */

/** A cookie to be set. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Milliseconds; 0: until the browser ends. */
  readonly lifetime: number;
  /** The client came by TLS: it must show the cookie nowhere else. */
  readonly secure: boolean;
  /** Further attributes, each as it is to be written. */
  readonly attributes: readonly string[];
}

/** The value of the first cookie of this name (RFC 6265 section 5.4: that of the longest path), without quotes. */
export function findCookie(cookies: string, name: string): string | undefined {
  for (let at = 0; at < cookies.length;) {
    const semicolon = cookies.indexOf(";", at);
    const end = semicolon === -1 ? cookies.length : semicolon;
    while (at < end && isBlank(cookies.charCodeAt(at))) at++;
    if (cookies.charCodeAt(at + name.length) === EQUALS && at + name.length < end && cookies.startsWith(name, at)) {
      return unquote(cookies.slice(at + name.length + 1, end).trimEnd());
    }
    at = end + 1;
  }
  return undefined;
}

/** The value of a Set-Cookie field. Scripts are not shown the cookie. */
export function formatCookie({ name, value, path, lifetime, secure, attributes }: Cookie): string {
  let text = `${name}=${value}; Path=${path}`;
  if (lifetime > 0) text += `; Max-Age=${Math.ceil(lifetime / 1000)}`;
  text += "; HttpOnly";
  if (secure) text += "; Secure";
  for (const attribute of attributes) text += `; ${attribute}`;
  return text;
}

const EQUALS = 61;

function isBlank(unit: number): boolean {
  return unit === 32 || unit === 9;
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
