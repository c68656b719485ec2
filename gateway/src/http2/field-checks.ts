/**
 * What a decoded field is, and whether it is well-formed (RFC 9113 section 8.2): asked once for every entry of an HPACK table and
 * every field that is in none, never again for one that is repeated. A role is a number: a code for a switch, and flags.
 */
import { isAuthority } from "../head/authority.ts";
import { FIELD_RULES, isTrailerAllowed, UNTRUSTED_PREFIXES, type FieldRole } from "../head/field-rules.ts";

/** The bits of a role that are its code. */
export const CODE = 63;
/** Flag: dropped from trailers. */
export const NO_TRAILER = 64;
/** Flag: the name holds `_`. */
export const UNDERSCORE = 128;

/** Codes from this one on are of pseudo-fields (RFC 9113 section 8.3). */
export const FIRST_PSEUDO = 32;
/** Codes from this one on are of fields that make a message malformed; `malformedBy` has the words. */
export const FIRST_MALFORMED = 48;

/** Codes. What has no role passes: 0. */
export const CODES = {
  pass: 0,
  host: 1,
  "content-length": 2,
  te: 3,
  expect: 4,
  trailer: 5,
  /** Dropped. */
  "hop-by-hop": 6,
  "forwarded-for": 7,
  "forwarded-proto": 8,
  "request-id": 9,
  untrusted: 10,
  "max-forwards": 11,
  date: 12,
  "client-certificate": 13,
  cookie: 14,
  /** content-type of a gRPC call. */
  grpc: 15,
  /** RFC 9218. */
  priority: 16,

  ":method": 32,
  ":scheme": 33,
  ":authority": 34,
  ":path": 35,
  ":protocol": 36,
  ":status": 37,
  /** A method longer than any; a scheme, an authority that is none: well-formed fields, and nothing that is served. */
  "long-method": 38,
  "other-scheme": 39,
  "bad-authority": 40,

  "bad-name": 48,
  "bad-value": 49,
  "bad-pseudo": 50,
  connection: 51,
  "bad-te": 52,
  "bad-length": 53,
} as const;

const MALFORMED: readonly string[] = [
  "invalid field name",
  "invalid field value",
  "invalid pseudo-field",
  "connection-specific field",
  "TE other than trailers",
  "invalid Content-Length",
];

/** What is wrong with a field of this (malformed) code, in words that hold nothing of the field. */
export function malformedBy(code: number): string {
  return MALFORMED[code - FIRST_MALFORMED] ?? "invalid field";
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No control characters, and no blank at either end (RFC 9113 section 8.2.1). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
/** Visible ASCII but `#`: a fragment is never sent. */
const TARGET = /^(?:\/[!"$-~]*|\*)$/;
/** Digits alone, no leading zeros, below 10^15. */
const LENGTH = /^(?:0|[1-9]\d{0,14})$/;
const GRPC = /^application\/grpc(?:$|[+;])/i;
const LONGEST_METHOD = 32;

/** The role of a field of a request, or of its trailers. */
export function classifyRequestField(name: string, value: string): number {
  return name.charCodeAt(0) === 58 ? requestPseudo(name, value) : classifyRegular(name, value, REQUEST);
}

/** The role of a field of an answer, or of its trailers. */
export function classifyAnswerField(name: string, value: string): number {
  if (name.charCodeAt(0) !== 58) return classifyRegular(name, value, RESPONSE);
  return name === ":status" && /^[1-5]\d\d$/.test(value) ? CODES[":status"] : CODES["bad-pseudo"];
}

function requestPseudo(name: string, value: string): number {
  switch (name) {
    case ":method":
      return methodCode(value);
    case ":scheme":
      return schemeCode(value);
    case ":path":
      return TARGET.test(value) ? CODES[":path"] : CODES["bad-pseudo"];
    case ":authority":
      if (!VALUE.test(value)) return CODES["bad-pseudo"];
      return isAuthorityText(value) ? CODES[":authority"] : CODES["bad-authority"];
    case ":protocol":
      return TOKEN.test(value) ? CODES[":protocol"] : CODES["bad-pseudo"];
    default:
      return CODES["bad-pseudo"];
  }
}

function methodCode(value: string): number {
  if (!TOKEN.test(value)) return CODES["bad-pseudo"];
  return value.length > LONGEST_METHOD ? CODES["long-method"] : CODES[":method"];
}

function schemeCode(value: string): number {
  if (!/^[A-Za-z][A-Za-z0-9+\-.]*$/.test(value)) return CODES["bad-pseudo"];
  return /^https?$/i.test(value) ? CODES[":scheme"] : CODES["other-scheme"];
}

/** Whether text is a host or [IPv6], and perhaps a port. */
export function isAuthorityText(text: string): boolean {
  const bytes = Buffer.from(text, "latin1");
  return isAuthority(bytes, 0, bytes.length);
}

/** RFC 9113 section 8.2.2 names these; HTTP2-Settings it does not, so that one is only dropped. */
const CONNECTION_SPECIFIC = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

const REQUEST = toRoles("request");
const RESPONSE = toRoles("response");

function toRoles(side: "request" | "response"): ReadonlyMap<string, number> {
  const roles = new Map<string, number>();
  for (const rule of FIELD_RULES) if (rule.in === "both" || rule.in === side) roles.set(rule.name, toCode(rule.role));
  for (const name of CONNECTION_SPECIFIC) roles.set(name, CODES.connection);
  if (side === "request") {
    roles.set("cookie", CODES.cookie);
    roles.set("content-type", CODES.grpc);
    roles.set("priority", CODES.priority);
  }
  return roles;
}

function toCode(role: FieldRole): number {
  return role === "transfer-encoding" || role === "upgrade" ? CODES.connection : CODES[role];
}

function classifyRegular(name: string, value: string, roles: ReadonlyMap<string, number>): number {
  if (!NAME.test(name)) return CODES["bad-name"];
  if (!VALUE.test(value)) return CODES["bad-value"];
  const code = refineCode(roles.get(name) ?? prefixCode(name, roles), value);
  if (code >= FIRST_MALFORMED) return code;
  return code | (isTrailerAllowed(name) ? 0 : NO_TRAILER) | (name.includes("_") ? UNDERSCORE : 0);
}

function prefixCode(name: string, roles: ReadonlyMap<string, number>): number {
  if (roles !== REQUEST) return CODES.pass;
  const isUntrusted = UNTRUSTED_PREFIXES.some(({ prefix }) => name.length > prefix.length && name.startsWith(prefix));
  return isUntrusted ? CODES.untrusted : CODES.pass;
}

/** Where the value matters as well. */
function refineCode(code: number, value: string): number {
  switch (code) {
    case CODES.te:
      return value.toLowerCase() === "trailers" ? code : CODES["bad-te"];
    case CODES["content-length"]:
      return LENGTH.test(value) ? code : CODES["bad-length"];
    case CODES.grpc:
      return GRPC.test(value) ? code : CODES.pass;
    default:
      return code;
  }
}
