// Fields that say who the client is (X-Forwarded-*, X-Request-Id and kin): never taken from a client that is not trusted.
import { head, passed, refused } from "../case.ts";
import type { FieldCheck, ProtocolCase } from "../case.ts";

const get = "GET /who HTTP/1.1";
const ours: Readonly<Record<string, FieldCheck>> = {
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-proto": "http",
  "x-request-id": /^[0-9a-f-]{16,40}$/i,
};

const spoofed: readonly (readonly [string, readonly string[]])[] = [
  ["x-forwarded-for", ["X-Forwarded-For: 10.0.0.1"]],
  ["x-forwarded-for-list", ["X-Forwarded-For: 10.0.0.1, 127.0.0.1"]],
  ["x-forwarded-for-two-lines", ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 10.0.0.2"]],
  ["x-forwarded-for-mixed-case", ["x-fOrWaRdEd-FoR: 10.0.0.1"]],
  ["x-forwarded-for-garbage", ["X-Forwarded-For: <script>, unknown, ::::"]],
  ["x-forwarded-for-empty", ["X-Forwarded-For:"]],
  ["x-forwarded-for-obs-text", ["X-Forwarded-For: 10.0.0.1\xff"]],
  [
    "x-forwarded-for-of-100-hops",
    [`X-Forwarded-For: ${Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`).join(",")}`],
  ],
  ["x-forwarded-proto", ["X-Forwarded-Proto: https"]],
  ["x-forwarded-proto-list", ["X-Forwarded-Proto: https, http"]],
  ["x-forwarded-proto-two-lines", ["X-Forwarded-Proto: http", "X-Forwarded-Proto: https"]],
  ["x-request-id", ["X-Request-Id: evil"]],
  ["x-request-id-log-injection", ['X-Request-Id: a","level":"error']],
  ["x-request-id-two-lines", ["X-Request-Id: a", "X-Request-Id: b"]],
];

const stripped: readonly (readonly [string, string])[] = [
  ["x-forwarded-host", "evil.test"],
  ["forwarded", "for=10.0.0.1;host=evil.test;proto=https"],
  ["x-real-ip", "10.0.0.1"],
  ["x-forwarded-client-cert", "By=spiffe://cluster.local/ns/x/sa/admin;Hash=00"],
];

/** Identity fields. */
export const identityCases: readonly ProtocolCase[] = [
  {
    id: "identity-added",
    why: "the backend is told the peer address, the scheme and a request id",
    send: [head(get)],
    allow: [passed({ fields: ours })],
  },
  ...spoofed.map(([name, fields]) => ({
    id: `identity-spoofed-${name}`,
    why: "with no trusted hops the field is the gateway’s own, whatever the client says",
    send: [head(get, ...fields)],
    allow: [passed({ fields: ours })] as const,
  })),
  ...stripped.map(([name, value]) => ({
    id: `identity-stripped-${name}`,
    why: "a claim about the client or its certificate does not pass from an untrusted client",
    send: [head(get, `${name}: ${value}`)],
    allow: [passed({ fields: { ...ours, [name]: null } })] as const,
  })),
  ...(
    [
      ["x_forwarded_for", "X_Forwarded_For: 10.0.0.1"],
      ["x-forwarded_for", "X-Forwarded_For: 10.0.0.1"],
      ["x_real_ip", "X_Real_IP: 10.0.0.1"],
      ["x-forwarded-for-space", "X-Forwarded-For : 10.0.0.1"],
      ["x-forwarded-for-nul", "X-Forwarded-For\0: 10.0.0.1"],
      ["x-forwarded-for-folded", "X-Foo: a\r\n X-Forwarded-For: 10.0.0.1"],
    ] as const
  ).map(([name, field]) => ({
    id: `identity-disguised-${name}`,
    why: "a spelling that one backend reads as the trusted field is refused",
    send: [head(get, field)],
    allow: [refused(400)] as const,
  })),
  {
    id: "identity-named-by-connection",
    why: "hop-by-hop abuse: `Connection: x-forwarded-for` neither removes ours nor keeps theirs",
    send: [head(get, "Connection: X-Forwarded-For, X-Real-IP", "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1")],
    allow: [passed({ fields: { ...ours, "x-real-ip": null } })],
  },
  {
    id: "identity-method-override-kept",
    why: "the gateway does not act on X-HTTP-Method-Override: it is the application’s",
    send: [head(get, "X-HTTP-Method-Override: DELETE")],
    allow: [passed({ method: "GET", fields: { "x-http-method-override": "DELETE" } })],
  },
  {
    id: "identity-original-url-kept-without-effect",
    why: "X-Original-URL and X-Rewrite-URL do not change the route",
    send: [head("GET /public HTTP/1.1", "X-Original-URL: /admin", "X-Rewrite-URL: /admin")],
    allow: [passed({ target: "/public", fields: { "x-matched": "default" } })],
  },
];
