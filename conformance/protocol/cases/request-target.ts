// Request targets (RFC 9112 section 3.2): the four forms, and bytes that may not stand in one.
import { head, HOST, passed, rawHead, refused } from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const bad: readonly (readonly [string, string, string])[] = [
  ["space", "/a b", "RFC 9112 3.2: whitespace in a target is where two parsers split differently"],
  ["tab", "/a\tb", "RFC 9112 3.2: no whitespace"],
  ["nul", "/a\0b", "a NUL ends a C string: the path that is checked differs from the path that is served"],
  ["control", "/a\x01b", "RFC 3986 2: control characters are never part of a URI"],
  ["del", "/a\x7fb", "RFC 3986 2: DEL is never part of a URI"],
  ["bare-cr", "/a\rb", "RFC 9112 2.2: bare CR"],
  ["bare-lf", "/a\nb", "RFC 9112 2.2: bare LF"],
  ["fragment", "/a#b", "RFC 9112 3.2: a target has no fragment; servers cut it or keep it"],
  ["relative", "a/b", "RFC 9112 3.2: not one of the four forms"],
  ["question-mark-first", "?a=b", "RFC 9112 3.2.1: origin-form begins with a slash"],
  ["asterisk-with-get", "*", "RFC 9112 3.2.4: asterisk-form is for OPTIONS"],
  ["asterisk-with-path", "*/x", "RFC 9112 3.2.4: the asterisk stands alone"],
  ["authority-form-with-get", "a.test:80", "RFC 9112 3.2.3: authority-form is for CONNECT"],
  ["absolute-userinfo", "http://user@a.test/x", "RFC 9110 4.2.4: userinfo disguises the authority"],
  ["absolute-password", "http://a.test:80@b.test/x", "RFC 9110 4.2.4: userinfo that looks like host and port"],
  ["absolute-empty-authority", "http:///x", "RFC 9110 4.2.1: an http URI without host is invalid"],
  ["absolute-other-scheme", "ftp://a.test/x", "a reverse proxy speaks for http and https only"],
  ["absolute-file-scheme", "file:///etc/passwd", "a reverse proxy speaks for http and https only"],
  ["absolute-port-too-big", "http://a.test:99999/x", "RFC 3986 3.2.3: no such port"],
  ["absolute-port-letters", "http://a.test:8o/x", "RFC 3986 3.2.3: a port is digits"],
  ["absolute-one-slash", "http:/a.test/x", "RFC 9110 4.2.1: two slashes introduce the authority"],
  ["absolute-space-in-host", "http://a.test b.test/x", "RFC 9112 3.2: whitespace"],
  ["absolute-backslash", "http://a.test\\@b.test/x", "browsers and servers split such an authority differently"],
];

const absolute = (path: string, host: string, method = "GET"): Outcome =>
  passed({ method, target: path, fields: { host } });

/** The four forms of a target. */
export const requestTargetCases: readonly ProtocolCase[] = [
  ...bad.map(([name, target, why]) => ({
    id: `target-${name}`,
    why,
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [refused(400)] as const,
  })),
  {
    id: "target-missing",
    why: "RFC 9112 3: the target is not optional",
    send: [head("GET HTTP/1.1")],
    allow: [refused(400)],
  },
  {
    id: "target-obs-text",
    why: "RFC 3986 2: bytes above 0x7f are not URI characters; backends decode them differently",
    send: [head("GET /caf\xc3\xa9 HTTP/1.1")],
    allow: [
      refused(400),
      { ...passed({ target: "/caf%C3%A9" }), because: "percent-encoding them leaves nothing to disagree on" },
    ],
  },
  {
    id: "target-of-70000-bytes",
    why: "RFC 9112 3: a target longer than the server wants to parse is 414 (or the head is too large)",
    send: [head(`GET /${"a".repeat(70000)} HTTP/1.1`)],
    allow: [refused(414, 431)],
  },
  {
    id: "target-of-8000-bytes",
    why: "RFC 9112 3: at least 8000 octets of request line should be supported",
    send: [head(`GET /${"a".repeat(7980)} HTTP/1.1`)],
    allow: [passed({ target: `/${"a".repeat(7980)}` })],
  },
  {
    id: "target-options-asterisk",
    why: "RFC 9112 3.2.4: OPTIONS * reaches the server unchanged",
    send: [head("OPTIONS * HTTP/1.1")],
    allow: [passed({ method: "OPTIONS", target: "*" })],
  },
  {
    id: "target-encoded-crlf",
    why: "an encoded line end stays encoded: decoding it would inject a field line",
    send: [head("GET /a%0d%0aX-Injected:%201 HTTP/1.1")],
    allow: [
      passed({ target: /* verbatim */ "/a%0d%0aX-Injected:%201", fields: { "x-injected": null } }),
      { ...refused(400), because: "no resource needs encoded control characters in its path" },
    ],
  },
  {
    id: "target-connect",
    why: "RFC 9110 9.3.6: a reverse proxy that does not tunnel refuses CONNECT",
    send: [rawHead("CONNECT a.test:443 HTTP/1.1", "Host: a.test:443")],
    allow: [refused(400, 405, 501)],
  },
  {
    id: "target-connect-origin-form",
    why: "RFC 9112 3.2.3: CONNECT takes authority-form only",
    send: [head("CONNECT /x HTTP/1.1")],
    allow: [refused(400, 405, 501)],
  },
  {
    id: "target-absolute-replaces-host",
    why: "RFC 9112 3.2.2: the authority of an absolute-form target replaces the Host field",
    send: [head("GET http://b.test/x?q=1 HTTP/1.1")],
    allow: [absolute("/x?q=1", "b.test")],
  },
  {
    id: "target-absolute-with-port",
    why: "RFC 9112 3.2.2: the port belongs to the authority",
    send: [head("GET http://b.test:8080/x HTTP/1.1")],
    allow: [absolute("/x", "b.test:8080")],
  },
  {
    id: "target-absolute-without-path",
    why: "RFC 9112 3.2.1: an empty path is sent on as a slash",
    send: [head("GET http://b.test HTTP/1.1")],
    allow: [absolute("/", "b.test")],
  },
  {
    id: "target-absolute-query-without-path",
    why: "RFC 9112 3.2.1: the slash comes before the query",
    send: [head("GET http://b.test?q=/../x HTTP/1.1")],
    allow: [absolute("/?q=/../x", "b.test")],
  },
  {
    id: "target-absolute-options-without-path",
    why: "RFC 9112 3.2.4: OPTIONS of an absolute target without path becomes OPTIONS *",
    send: [head("OPTIONS http://b.test HTTP/1.1")],
    allow: [
      absolute("*", "b.test", "OPTIONS"),
      { ...absolute("/", "b.test", "OPTIONS"), because: "deployed gateways send the slash" },
    ],
  },
  {
    id: "target-absolute-upper-case-scheme",
    why: "RFC 3986 3.1: schemes are case-insensitive",
    send: [head("GET HTTP://b.test/x HTTP/1.1")],
    allow: [absolute("/x", "b.test")],
  },
  {
    id: "target-absolute-normalised-too",
    why: "an absolute-form path goes through the same normalisation as any other",
    send: [head("GET http://b.test/public/../admin/x HTTP/1.1")],
    allow: [passed({ target: "/admin/x", fields: { host: "b.test", "x-matched": "admin" } })],
  },
  {
    id: "target-absolute-https-on-plain-port",
    why: "a client cannot claim TLS that was not there (RFC 9110 7.4)",
    send: [head("GET https://b.test/x HTTP/1.1")],
    allow: [
      refused(400, 421),
      {
        ...passed({ target: "/x", fields: { host: "b.test", "x-forwarded-proto": "http" } }),
        because: "harmless when the backend is told the truth about the scheme",
      },
    ],
  },
  {
    id: "target-absolute-without-host-field",
    why: "RFC 9112 3.2: HTTP/1.1 needs a Host field even with absolute-form",
    send: [rawHead("GET http://b.test/x HTTP/1.1", "X: y")],
    allow: [refused(400)],
  },
  {
    id: "target-absolute-with-two-hosts",
    why: "RFC 9112 3.2: two Host fields are refused even where they are ignored",
    send: [rawHead("GET http://b.test/x HTTP/1.1", `Host: ${HOST}`, "Host: c.test")],
    allow: [refused(400)],
  },
  {
    id: "target-absolute-with-invalid-host",
    why: "RFC 9112 3.2: an invalid Host value is refused even where it is ignored",
    send: [rawHead("GET http://b.test/x HTTP/1.1", "Host: a test")],
    allow: [refused(400)],
  },
];
