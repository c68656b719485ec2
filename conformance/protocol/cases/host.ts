// The Host field (RFC 9112 section 3.2, RFC 9110 section 7.2): exactly one, and a valid authority.
import { HOST, passed, rawHead, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = "GET /host HTTP/1.1";

const invalid: readonly (readonly [string, string, string])[] = [
  ["empty", "", "RFC 9110 4.2.1: an http URI with an empty host is invalid"],
  ["blank", "   ", "RFC 9110 4.2.1: blanks are not a host"],
  ["two-in-one", "a.test, b.test", "one parser takes the first, another the last"],
  ["space", "a.test b.test", "RFC 3986 3.2.2: no whitespace"],
  ["userinfo", "user@a.test", "RFC 9110 7.2: Host has no userinfo"],
  ["userinfo-like-port", "a.test:80@b.test", "which half is the host depends on the parser"],
  ["path", "a.test/x", "a slash would move the boundary of host and path"],
  ["query", "a.test?x", "a question mark would move the boundary of host and query"],
  ["fragment", "a.test#x", "a hash would move the boundary of the authority"],
  ["backslash", "a.test\\x", "some parsers read a backslash as a slash"],
  ["scheme", "http://a.test", "Host is an authority, not a URI"],
  ["port-letters", "a.test:http", "RFC 3986 3.2.3: a port is digits"],
  ["port-negative", "a.test:-1", "RFC 3986 3.2.3: a port is digits"],
  ["port-too-big", "a.test:70000", "no such port"],
  ["port-twice", "a.test:80:81", "which port counts depends on the parser"],
  ["port-only", ":80", "RFC 9110 4.2.1: no host"],
  ["port-plus", "a.test:+80", "RFC 3986 3.2.3: a port is digits"],
  ["nul", "a.test\0b.test", "a NUL ends a C string"],
  ["control", "a.test\x01", "RFC 9110 5.5: control characters"],
  ["del", "a.test\x7f", "RFC 9110 5.5: control characters"],
  ["obs-text", "caf\xe9.test", "RFC 3986 3.2.2: hosts are ASCII"],
  ["quote", '"a.test"', "RFC 3986 3.2.2: not a host character"],
  ["angle", "<a.test>", "RFC 3986 3.2.2: not a host character; it would break out of markup"],
  ["ipv6-bare", "::1", "RFC 3986 3.2.2: an IPv6 address stands in brackets"],
  ["ipv6-open", "[::1", "RFC 3986 3.2.2: unclosed bracket"],
  ["ipv6-empty", "[]", "RFC 3986 3.2.2: empty literal"],
  ["ipv6-letters", "[zz::1]", "RFC 3986 3.2.2: not an address"],
  ["ipv6-then-text", "[::1]evil.test", "RFC 3986 3.2: only a port may follow the bracket"],
];

/** Host fields. */
export const hostCases: readonly ProtocolCase[] = [
  ...invalid.map(([name, value, why]) => ({
    id: `host-${name}`,
    why,
    send: [rawHead(get, `Host: ${value}`)],
    allow: [refused(400)] as const,
  })),
  {
    id: "host-missing",
    why: "RFC 9112 3.2: HTTP/1.1 without Host is 400",
    send: [rawHead(get, "X: y")],
    allow: [refused(400)],
  },
  {
    id: "host-twice-same",
    why: "RFC 9112 3.2: more than one Host field is 400",
    send: [rawHead(get, `Host: ${HOST}`, `Host: ${HOST}`)],
    allow: [refused(400)],
  },
  {
    id: "host-twice-different",
    why: "RFC 9112 3.2: routing by one and serving by the other is a bypass",
    send: [rawHead(get, `Host: ${HOST}`, "X: y", "hOsT: b.test")],
    allow: [refused(400)],
  },
  {
    id: "host-space-before-colon",
    why: "RFC 9112 5.1: no whitespace between name and colon",
    send: [rawHead(get, `Host : ${HOST}`)],
    allow: [refused(400)],
  },
  {
    id: "host-folded",
    why: "RFC 9112 5.2: a folded Host is read as two values or as one",
    send: [rawHead(get, `Host: ${HOST}`, " b.test")],
    allow: [refused(400)],
  },
  {
    id: "host-hidden-second-after-bare-lf",
    why: "RFC 9112 2.2: a bare LF hides a second Host from one parser",
    send: [rawHead(get, `Host: ${HOST}`, "X: y\nHost: b.test")],
    allow: [refused(400)],
  },
  {
    id: "host-with-port",
    why: "RFC 9110 7.2: the port stays with the host for the backend",
    send: [rawHead(get, `Host: ${HOST}:8080`)],
    allow: [passed({ fields: { host: `${HOST}:8080` } })],
  },
  {
    id: "host-with-empty-port",
    why: "RFC 3986 3.2.3: the port may be empty",
    send: [rawHead(get, `Host: ${HOST}:`)],
    allow: [
      passed({ fields: { host: /^a\.test:?$/ } }),
      { ...refused(400), because: "parsers differ on it and no client sends it" },
    ],
  },
  {
    id: "host-ipv6-with-port",
    why: "RFC 3986 3.2.2: an address literal is a host",
    send: [rawHead(get, "Host: [::1]:8080")],
    allow: [passed({ fields: { host: "[::1]:8080" } })],
  },
  {
    id: "host-ipv4",
    why: "RFC 3986 3.2.2: an address is a host",
    send: [rawHead(get, "Host: 127.0.0.1")],
    allow: [passed({ fields: { host: "127.0.0.1" } })],
  },
  {
    id: "host-upper-case",
    why: "RFC 9110 4.2.3: hosts compare without case",
    send: [rawHead(get, "Host: A.TEST")],
    allow: [passed({ fields: { host: /^a\.test$/i } })],
  },
  {
    id: "host-trailing-dot",
    why: "a fully qualified name is the same host and must not miss its route",
    send: [rawHead(get, `Host: ${HOST}.`)],
    allow: [passed({ fields: { host: /^a\.test\.?$/ } })],
  },
  {
    id: "host-underscore",
    why: "RFC 3986 3.2.2: a reg-name may hold an underscore, and people have such names",
    send: [rawHead(get, "Host: a_b.test")],
    allow: [passed({ fields: { host: "a_b.test" } })],
  },
  {
    id: "host-percent-encoded",
    why: "RFC 3986 3.2.2: an encoded host is compared decoded by some and not by others",
    send: [rawHead(get, "Host: %61.test")],
    allow: [
      refused(400),
      { ...passed({ fields: { host: "%61.test" } }), because: "passing it unread cannot widen a match" },
    ],
  },
  {
    id: "host-blanks-around",
    why: "RFC 9112 5.1: optional whitespace around a value is not part of it",
    send: [rawHead(get, `Host:\t ${HOST} \t`)],
    allow: [passed({ fields: { host: HOST } })],
  },
  {
    id: "host-without-blank",
    why: "RFC 9112 5.1: the whitespace is optional",
    send: [rawHead(get, `Host:${HOST}`)],
    allow: [passed({ fields: { host: HOST } })],
  },
  {
    id: "host-of-300-characters",
    why: "RFC 1035 2.3.4: longer than any name; must not be cut to a shorter, routable one",
    send: [rawHead(get, `Host: ${"a".repeat(300)}`)],
    allow: [
      refused(400, 404),
      { ...passed({ fields: { host: "a".repeat(300) } }), because: "a reg-name has no limit in RFC 3986" },
    ],
  },
];
