// Fields that end at this hop (RFC 9110 section 7.6.1), in both directions.
import { answered, END, head, HOST, ok, passed, post, rawHead, refused, reply } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = "GET /hop HTTP/1.1";

const always: readonly (readonly [string, string])[] = [
  ["keep-alive", "timeout=5"],
  ["proxy-connection", "keep-alive"],
  ["te", "deflate;q=0.5"],
  ["upgrade", "websocket"],
  ["http2-settings", "AAMAAABk"],
];

/** Hop-by-hop fields. */
export const hopByHopCases: readonly ProtocolCase[] = [
  ...always.map(([name, value]) => ({
    id: `hop-request-${name}`,
    why: "RFC 9110 7.6.1: this field ends here even if Connection does not name it",
    send: [head(get, `${name}: ${value}`)],
    allow: [passed({ fields: { [name]: null } })] as const,
  })),
  ...always.slice(0, 3).map(([name, value]) => ({
    id: `hop-response-${name}`,
    why: "RFC 9110 7.6.1: this field ends here even if Connection does not name it",
    send: [head(get)],
    answers: [reply(ok("ok", `${name}: ${value}`))],
    allow: [answered({ status: 200, fields: { [name]: null }, body: "ok" })] as const,
  })),
  {
    id: "hop-request-named",
    why: "RFC 9110 7.6.1: what Connection names is dropped",
    send: [head(get, "X-Foo: a", "Connection: x-foo, x-bar", "X-Bar: b", "X-Baz: c")],
    allow: [passed({ fields: { "x-foo": null, "x-bar": null, "x-baz": "c", connection: null } })],
  },
  {
    id: "hop-request-named-on-several-lines",
    why: "RFC 9110 5.3: several Connection lines are one list",
    send: [head(get, "Connection: x-foo", "X-Foo: a", "X-Bar: b", "CONNECTION: X-BAR")],
    allow: [passed({ fields: { "x-foo": null, "x-bar": null, connection: null } })],
  },
  {
    id: "hop-request-named-with-empty-elements",
    why: "RFC 9110 5.6.1: empty list elements are ignored",
    send: [head(get, "Connection: , ,x-foo,,", "X-Foo: a")],
    allow: [passed({ fields: { "x-foo": null } })],
  },
  {
    id: "hop-request-connection-not-a-token",
    why: "RFC 9110 7.6.1: an option is a token; what is not one names nothing",
    send: [head(get, "Connection: x foo", "X-Foo: a")],
    allow: [passed({ fields: { connection: null, "x-foo": "a" } }), refused(400)],
  },
  {
    id: "hop-request-connection-empty",
    why: "RFC 9110 5.6.1: an empty list names nothing",
    send: [head(get, "Connection:")],
    allow: [passed({ fields: { connection: null } })],
  },
  {
    id: "hop-connection-names-host",
    why: "RFC 9110 7.6.1: end-to-end fields must not be named; Host must survive (or be refused)",
    send: [head(get, "Connection: host")],
    allow: [passed({ fields: { host: HOST } }), refused(400)],
  },
  {
    id: "hop-connection-names-content-length",
    why: "naming the length must not take the frame off the body",
    send: [post("hello", "Connection: content-length")],
    allow: [passed({ body: "hello", fields: { "content-length": "5" } }), passed({ body: "hello" }), refused(400)],
  },
  {
    id: "hop-connection-names-transfer-encoding",
    why: "naming the coding must not take the frame off the body",
    send: [
      `${head("POST /hop HTTP/1.1", "Connection: transfer-encoding", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`,
    ],
    allow: [passed({ body: "hello" }), refused(400)],
  },
  {
    id: "hop-connection-names-x-forwarded-for",
    why: "hop-by-hop abuse: naming a field the gateway itself adds must not remove it",
    send: [
      head(get, "Connection: close, x-forwarded-for, x-forwarded-proto, x-request-id", "X-Forwarded-For: 6.6.6.6"),
    ],
    allow: [
      passed(
        { fields: { "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-request-id": true } },
        { after: "closed" },
      ),
    ],
  },
  {
    id: "hop-connection-names-a-field-set-by-policy",
    why: "hop-by-hop abuse: naming a field that a policy sets must not remove it",
    send: [head(get, "Connection: x-matched")],
    allow: [passed({ fields: { "x-matched": "default" } })],
  },
  {
    id: "hop-connection-names-an-identity-field",
    why: "hop-by-hop abuse: the named field of the client is dropped before policies see it",
    send: [head(get, "Connection: x-user-id", "X-User-Id: admin")],
    allow: [passed({ fields: { "x-user-id": null } })],
  },
  {
    id: "hop-te-trailers",
    why: "RFC 9110 10.1.4: TE is this hop’s; `trailers` may be said again, nothing else",
    send: [head(get, "TE: trailers, deflate;q=0.5", "Connection: TE")],
    allow: [passed({ fields: { te: null } }), passed({ fields: { te: "trailers", connection: /te/i } })],
  },
  {
    id: "hop-response-named",
    why: "RFC 9110 7.6.1: what Connection names is dropped on the way back too",
    send: [head(get)],
    answers: [reply(ok("ok", "Connection: x-internal", "X-Internal: secret", "X-Public: b"))],
    allow: [answered({ status: 200, fields: { "x-internal": null, "x-public": "b" } })],
  },
  {
    id: "hop-response-connection-names-content-length",
    why: "naming the length must not take the frame off the answer",
    send: [head(get)],
    answers: [reply(ok("hello", "Connection: content-length"))],
    allow: [
      answered({ status: 200, body: "hello" }),
      { backend: [{}], client: [{ status: 502 }], after: "any", because: "a faulty answer" },
    ],
  },
  {
    id: "hop-response-close-is-not-for-the-client",
    why: "RFC 9112 9.6: close from the backend concerns that hop",
    send: [head(get)],
    answers: [reply(ok("ok", "Connection: close"), END)],
    allow: [
      answered(
        { status: 200, body: "ok", fields: { connection: /^(keep-alive)?$/i } },
        { backendConnection: "not-reused" },
      ),
    ],
  },
  {
    id: "hop-response-proxy-connection-close",
    why: "Proxy-Connection is no field of HTTP and means nothing",
    send: [head(get)],
    answers: [reply(ok("ok", "Proxy-Connection: close"))],
    allow: [answered({ status: 200, body: "ok", fields: { "proxy-connection": null } })],
  },
  {
    id: "hop-request-end-to-end-kept",
    why: "RFC 9110 7.6.1: everything else passes unchanged",
    send: [
      rawHead(
        get,
        `Host: ${HOST}`,
        "Accept-Encoding: gzip;q=0.5, *;q=0",
        "Authorization: Bearer a.b.c",
        "Via: 1.1 edge",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X-Empty:",
      ),
    ],
    allow: [
      passed({
        fields: {
          "accept-encoding": "gzip;q=0.5, *;q=0",
          authorization: "Bearer a.b.c",
          via: "1.1 edge",
          traceparent: /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/,
          "x-empty": "",
        },
      }),
    ],
  },
  {
    id: "hop-response-end-to-end-kept",
    why: "RFC 9110 7.6.1, RFC 6265 3: everything else passes unchanged, cookies line by line",
    send: [head(get)],
    answers: [
      reply(ok("ok", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", 'ETag: "x\xe9"', "Server: backend/1", "Via: 1.0 x")),
    ],
    allow: [
      answered({
        status: 200,
        fields: { "set-cookie": "a=1; Path=/, b=2", etag: '"x\xe9"', server: true, via: /^1\.0 x/ },
      }),
    ],
  },
];
