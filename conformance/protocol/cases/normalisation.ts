// Path normalisation, done before routing: the path a rule was matched on is the path the backend gets (RFC 3986 section 6).
import { head, passed, refused } from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

/** The backend gets this target, and the rule of this name matched. */
const as = (target: string, matched: "admin" | "default" = "default"): Outcome =>
  passed({ target, fields: { "x-matched": matched } });

const redirected = (location: RegExp): Outcome => ({
  backend: [],
  client: [{ status: 307, fields: { location } }],
  after: "open",
});

const resolved: readonly (readonly [string, string, string, "admin" | "default"])[] = [
  ["dot", "/./admin/./x", "/admin/x", "admin"],
  ["dot-dot", "/public/../admin", "/admin", "admin"],
  ["dot-dot-at-end", "/a/b/..", "/a/", "default"],
  ["dot-at-end", "/a/.", "/a/", "default"],
  ["dot-dot-out-of-admin", "/admin/../public", "/public", "default"],
  ["several", "/a/b/c/../../../admin/x", "/admin/x", "admin"],
  ["to-the-root", "/a/..", "/", "default"],
  ["double-slash", "//admin", "/admin", "admin"],
  ["many-slashes", "/a////b", "/a/b", "default"],
  ["dots-with-query", "/public/../admin?x=/../..", "/admin?x=/../..", "admin"],
];

const verbatim: readonly (readonly [string, string, string])[] = [
  ["query", "/q?a=b&c=%2F%5C%00//../..", "the query is not a path"],
  ["query-empty", "/q?", "an empty query is kept"],
  ["query-question-marks", "/q?a?b??", "RFC 3986 3.4: question marks may stand in a query"],
  ["three-dots", "/a/.../b", "only one or two dots are dot segments"],
  ["dots-in-names", "/a/..b/c..", "only one or two dots are dot segments"],
  ["semicolon", "/a;x=1/b;y", "parameters are part of a segment"],
  ["dot-dot-semicolon", "/a/..;/b", "a segment with a parameter is no dot segment here; see the routing case"],
  ["trailing-slash", "/a/b/", "a trailing slash is significant"],
  ["case", "/AdMiN", "paths compare with case"],
  ["utf-8", "/caf%C3%A9", "encoded bytes stay encoded"],
  ["lower-case-escape", "/caf%c3%a9", "the case of an escape is kept"],
  ["encoded-percent", "/a%252fb", "one level of decoding at most: %25 is a percent sign"],
  ["encoded-question-mark", "/a%3Fb", "an encoded question mark begins no query"],
  ["encoded-hash", "/a%23b", "an encoded hash begins no fragment"],
  ["encoded-space", "/a%20b", "an encoded blank stays encoded"],
  ["encoded-semicolon", "/a%3Bb", "an encoded semicolon is data"],
  ["sub-delims", "/a!$&'()*+,;=:@b", "RFC 3986 3.3: all of these may stand in a segment"],
  ["tilde", "/~user/a_b-c", "RFC 3986 2.3: unreserved characters"],
];

const refusedPaths: readonly (readonly [string, string, string])[] = [
  ["above-root", "/../admin", "a path that climbs above the root is an attack, not a path"],
  ["above-root-later", "/a/../../admin", "the same after a segment"],
  ["above-root-encoded", "/%2e%2e/admin", "the same with encoded dots"],
  ["encoded-nul", "/a%00b", "an encoded NUL ends the path for some backends"],
  ["encoded-nul-before-extension", "/admin%00.html", "the same, to get past an extension rule"],
  ["percent-alone", "/a%", "RFC 3986 2.1: malformed escape"],
  ["percent-one-digit", "/a%2", "RFC 3986 2.1: malformed escape"],
  ["percent-not-hex", "/a%zz", "RFC 3986 2.1: malformed escape"],
  ["percent-u", "/a%u002f", "the IIS escape is read by some backends"],
];

/** Paths. */
export const normalisationCases: readonly ProtocolCase[] = [
  ...resolved.map(([name, target, path, matched]) => ({
    id: `path-${name}`,
    why: "RFC 3986 5.2.4, 6.2.2: dot segments are resolved and slashes merged before a rule is chosen",
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [as(path, matched)] as const,
  })),
  ...verbatim.map(([name, target, why]) => ({
    id: `path-kept-${name}`,
    why,
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [as(target)] as const,
  })),
  ...refusedPaths.map(([name, target, why]) => ({
    id: `path-${name}`,
    why,
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [refused(400)] as const,
  })),
  ...(
    [
      ["dot-dot", "/public/%2e%2e/admin"],
      ["dot-dot-upper-case", "/public/%2E%2E/admin"],
      ["dot-dot-mixed", "/public/.%2e/admin"],
      ["dot-dot-mixed-other-way", "/public/%2e./admin"],
      ["dot", "/%2e/admin"],
    ] as const
  ).map(([name, target]) => ({
    id: `path-encoded-${name}`,
    why: "RFC 3986 6.2.2.2: an encoded dot is a dot; the backend will resolve it after the gateway has routed",
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [as("/admin", "admin"), refused(400), redirected(/\/admin$/)] as const,
  })),
  ...(
    [
      ["slash", "/a%2Fb", /^(https?:\/\/a\.test)?\/a\/b$/],
      ["slash-lower-case", "/a%2fb", /^(https?:\/\/a\.test)?\/a\/b$/],
      ["backslash", "/a%5Cb", /^(https?:\/\/a\.test)?\/a[/\\]b$/],
      ["slash-with-query", "/a%2Fb?c=%2F", /^(https?:\/\/a\.test)?\/a\/b\?c=%2F$/],
      ["slash-into-admin", "/public%2F..%2Fadmin", /^(https?:\/\/a\.test)?\/(public\/\.\.\/)?admin$/],
    ] as const
  ).map(([name, target, location]) => ({
    id: `path-encoded-${name}`,
    why: "backends differ on an encoded slash: the client is sent to the unescaped path, and that one is matched",
    send: [head(`GET ${target} HTTP/1.1`)],
    allow: [redirected(location)] as const,
  })),
  {
    id: "path-encoded-slash-redirect-stays-on-the-host",
    why: "open redirect: an unescaped leading double slash must not name another host",
    send: [head("GET /%2F%2Fevil.test/x HTTP/1.1")],
    allow: [redirected(/^(https?:\/\/a\.test)?\/(?![/\\])/), refused(400)],
  },
  {
    id: "path-encoded-backslash-redirect-stays-on-the-host",
    why: "open redirect: browsers read /\\evil.test as //evil.test",
    send: [head("GET /%5Cevil.test/x HTTP/1.1")],
    allow: [redirected(/^(https?:\/\/a\.test)?\/(?![/\\])/), refused(400)],
  },
  {
    id: "path-dots-behind-an-empty-segment",
    why: "RFC 3986 5.2.4 takes the empty segment away, merging slashes first takes the one before it: one of the two, for all",
    send: [head("GET /a//../admin HTTP/1.1")],
    allow: [as("/admin", "admin"), { ...as("/a/admin"), because: "the backend gets the path that was routed" }],
  },
  {
    id: "path-backslash",
    why: "RFC 3986 2: not a URI character; what browsers and some backends read as a slash is one before routing too",
    send: [head("GET /public\\..\\admin HTTP/1.1")],
    allow: [as("/admin", "admin"), refused(400)],
  },
  {
    id: "path-encoded-letter",
    why: "RFC 3986 6.2.2.2: %61 is an a; a rule on /admin must not be passed by",
    send: [head("GET /%61dmin/x HTTP/1.1")],
    allow: [
      as("/admin/x", "admin"),
      { ...as("/%61dmin/x", "admin"), because: "matching decoded and sending as written is safe" },
      { ...as("/%61dmin/x", "default"), because: "Gateway API compares paths as written (edge proxies do so)" },
    ],
  },
  {
    id: "path-prefix-is-by-segments",
    why: "Gateway API PathPrefix: /admin does not match /administrator",
    send: [head("GET /administrator HTTP/1.1")],
    allow: [as("/administrator")],
  },
  {
    id: "path-dot-dot-semicolon-into-admin",
    why: "some servlet containers resolve /..;/: the route goes by the path as it stands",
    send: [head("GET /public/..;/admin HTTP/1.1")],
    allow: [as("/public/..;/admin"), refused(400)],
  },
  {
    id: "path-very-deep",
    why: "resolving thousands of dot segments takes linear time",
    send: [head(`GET ${"/a".repeat(6000)}${"/..".repeat(6000)}/admin HTTP/1.1`)],
    allow: [as("/admin", "admin"), refused(400, 414)],
  },
];
