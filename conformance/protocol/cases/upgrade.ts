// Upgrade (RFC 9110 section 7.8): h2c never passes, a tunnel opens only when both sides agreed (RFC 6455 section 4).
import {
  AWAIT_INTERIM,
  AWAIT_RESPONSE,
  ECHO,
  head,
  HOST,
  passed,
  passedAll,
  rawHead,
  refused,
  reply,
  response,
} from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const smuggled = head("GET /smuggled HTTP/1.1");
const handshake = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
] as const;
const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const switching = response("HTTP/1.1 101 Switching Protocols", ["Upgrade: websocket", "Connection: Upgrade", accept]);
const open = head("GET /ws HTTP/1.1", ...handshake);
const h2Settings = "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA";
const noUpgrade = { upgrade: null, "http2-settings": null, connection: null } as const;

const tunnelled = (backend: string, client: string): Outcome => ({
  backend: [{ fields: { upgrade: /^websocket$/i, connection: /^upgrade$/i } }],
  client: [],
  after: "any",
  interim: [101],
  tunnel: { backend, client },
});

const h2c: readonly (readonly [string, readonly string[]])[] = [
  ["plain", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", h2Settings]],
  ["without-settings-option", ["Connection: Upgrade", "Upgrade: h2c", h2Settings]],
  ["upper-case", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: H2C", h2Settings]],
  ["beside-websocket", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: websocket, h2c", h2Settings]],
  ["before-websocket", ["Connection: Upgrade", "Upgrade: h2c, websocket"]],
  ["on-a-second-line", ["Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"]],
  ["without-connection", ["Upgrade: h2c", h2Settings]],
  ["settings-alone", [h2Settings]],
  ["settings-named-by-connection", ["Connection: HTTP2-Settings", h2Settings]],
  ["with-version", ["Connection: Upgrade", "Upgrade: h2c/1.0"]],
  ["h2", ["Connection: Upgrade", "Upgrade: h2"]],
];

/** Upgrades. */
export const upgradeCases: readonly ProtocolCase[] = [
  ...h2c.map(([name, fields]) => ({
    id: `upgrade-h2c-${name}`,
    why: "h2c smuggling: behind a 101 for h2c every further request bypasses the gateway",
    send: [head("GET /h2c HTTP/1.1", ...fields)],
    allow: [
      passed({ fields: { upgrade: /^(?!.*h2)/i, "http2-settings": null } }),
      passed({ fields: noUpgrade }),
      { ...refused(400), because: "refusing is as safe" },
    ] as const,
  })),
  {
    id: "upgrade-h2c-accepted-by-backend",
    why: "h2c smuggling: a backend that switches although it was not asked gets a 502 on its behalf, and no tunnel",
    send: [head("GET /h2c HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", h2Settings)],
    answers: [reply(response("HTTP/1.1 101 Switching Protocols", ["Upgrade: h2c", "Connection: Upgrade"]), ECHO)],
    allow: [
      { backend: [{}], client: [{ status: 502 }], after: "any", interim: [], backendConnection: "not-reused" },
      { ...refused(400), because: "refusing is as safe" },
    ],
  },
  {
    id: "upgrade-websocket",
    why: "RFC 6455 4: after 101 bytes pass both ways unread",
    send: [open, AWAIT_INTERIM, "GET / HTTP/1.1\n\0\xff", { pause: 60 }],
    answers: [reply(switching, ECHO)],
    allow: [tunnelled("GET / HTTP/1.1\n\0\xff", "GET / HTTP/1.1\n\0\xff")],
  },
  {
    id: "upgrade-websocket-first-bytes-with-the-101",
    why: "RFC 9110 7.8: what follows the 101 in the same segment belongs to the new protocol",
    send: [open, AWAIT_INTERIM, { pause: 60 }],
    answers: [reply(`${switching}\x81\x02hi`, ECHO)],
    allow: [tunnelled("", "\x81\x02hi")],
  },
  {
    id: "upgrade-websocket-mixed-case",
    why: "RFC 9110 7.8, 7.6.1: protocol names and connection options compare without case",
    send: [
      head("GET /ws HTTP/1.1", "connection: keep-alive, UPGRADE", "upgrade: WebSocket", ...handshake.slice(2)),
      AWAIT_INTERIM,
      "x",
      { pause: 60 },
    ],
    answers: [reply(switching, ECHO)],
    allow: [tunnelled("x", "x")],
  },
  {
    id: "upgrade-other-protocol",
    why: "RFC 9110 7.8: any protocol but HTTP may be tunnelled when both sides agree",
    send: [head("GET /x HTTP/1.1", "Connection: Upgrade", "Upgrade: foo/2"), AWAIT_INTERIM, "x", { pause: 60 }],
    answers: [reply(response("HTTP/1.1 101 Switching Protocols", ["Upgrade: foo/2", "Connection: Upgrade"]), ECHO)],
    allow: [
      {
        backend: [{ fields: { upgrade: "foo/2" } }],
        client: [],
        after: "any",
        interim: [101],
        tunnel: { backend: "x", client: "x" },
      },
      {
        backend: [{ fields: { upgrade: null } }],
        client: [{ status: 502 }],
        after: "any",
        because: "a gateway may know websocket only",
      },
    ],
  },
  {
    id: "upgrade-declined",
    why: "RFC 9110 7.8: a backend may ignore the upgrade; the connection stays HTTP",
    send: [open],
    allow: [passed({ target: "/ws" })],
  },
  {
    id: "upgrade-declined-then-smuggled-bytes",
    why: "WebSocket smuggling: bytes sent in the hope of a tunnel are parsed as HTTP by the gateway itself",
    send: [`${open}\x81\x85\0\0\0\0hello`],
    allow: [
      { backend: [{ target: "/ws" }], client: [{ status: 200 }, { status: 400 }], after: "closed" },
      { backend: [{ target: "/ws" }], client: [{ status: 200 }], after: "closed" },
    ],
  },
  {
    id: "upgrade-wrong-version-426",
    why: "WebSocket smuggling: a gateway that opens the tunnel on the request alone lets the next request through unseen",
    send: [
      head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777"),
      AWAIT_RESPONSE,
      head("GET /admin/../public HTTP/1.1"),
    ],
    answers: [
      reply(response("HTTP/1.1 426 Upgrade Required", ["Sec-WebSocket-Version: 13", "Content-Length: 2"], "no")),
    ],
    allow: [
      {
        backend: [{ target: "/ws" }, { target: "/public", fields: { "x-matched": "default" } }],
        client: [{ status: 426 }, { status: 200 }],
        after: "open",
      },
      { backend: [{ target: "/ws" }], client: [{ status: 426 }], after: "closed" },
    ],
  },
  {
    id: "upgrade-101-not-asked-for",
    why: "RFC 9110 15.2.2: a 101 without an upgrade request is a faulty answer",
    send: [head("GET /x HTTP/1.1")],
    answers: [reply(switching, ECHO)],
    allow: [{ backend: [{}], client: [{ status: 502 }], after: "any", interim: [], backendConnection: "not-reused" }],
  },
  {
    id: "upgrade-101-to-another-protocol",
    why: "RFC 9110 7.8: the server may switch only to a protocol the client offered",
    send: [open],
    answers: [reply(response("HTTP/1.1 101 Switching Protocols", ["Upgrade: foo", "Connection: Upgrade"]), ECHO)],
    allow: [{ backend: [{}], client: [{ status: 502 }], after: "any", interim: [], backendConnection: "not-reused" }],
  },
  {
    id: "upgrade-101-without-upgrade-field",
    why: "RFC 9110 15.2.2: a 101 must say to what it switches",
    send: [open],
    answers: [reply(response("HTTP/1.1 101 Switching Protocols", ["Connection: Upgrade"]), ECHO)],
    allow: [{ backend: [{}], client: [{ status: 502 }], after: "any", interim: [], backendConnection: "not-reused" }],
  },
  {
    id: "upgrade-field-without-connection-option",
    why: "RFC 9110 7.8: Upgrade without the connection option is meant for another hop and is dropped",
    send: [head("GET /ws HTTP/1.1", "Upgrade: websocket")],
    allow: [passed({ fields: { upgrade: null, connection: null } })],
  },
  {
    id: "upgrade-connection-option-without-field",
    why: "RFC 9110 7.6.1: the option alone asks for nothing",
    send: [head("GET /ws HTTP/1.1", "Connection: upgrade")],
    allow: [passed({ fields: { upgrade: null, connection: null } })],
  },
  {
    id: "upgrade-empty",
    why: "RFC 9110 7.8: an empty list of protocols asks for nothing",
    send: [head("GET /ws HTTP/1.1", "Connection: upgrade", "Upgrade:")],
    allow: [passed({ fields: { upgrade: null } }), refused(400)],
  },
  {
    id: "upgrade-with-a-body",
    why: "RFC 9110 7.8: the body of an upgrade request is HTTP; it must not be taken for tunnel bytes or for a request",
    send: [`${head("POST /ws HTTP/1.1", ...handshake, `Content-Length: ${smuggled.length}`)}${smuggled}`],
    allow: [passed({ body: smuggled }), { ...refused(400), because: "no WebSocket client sends one" }],
  },
  {
    id: "upgrade-with-a-body-and-101",
    why: "RFC 9110 7.8: the switch comes after the whole request, body included",
    send: [`${head("POST /ws HTTP/1.1", ...handshake, "Content-Length: 4")}body`, { pause: 60 }],
    answers: [reply(switching, ECHO)],
    allow: [
      refused(400),
      { backend: [{ body: "body" }], client: [{ status: 502 }], after: "any", interim: [] },
      {
        backend: [{ body: "body" }],
        client: [],
        after: "any",
        interim: [101],
        tunnel: { backend: "", client: "" },
        because: "a clean switch behind the body is valid",
      },
    ],
  },
  {
    id: "upgrade-tls-in-http",
    why: "RFC 2817: upgrading to TLS inside a reverse proxied connection makes no sense",
    send: [head("OPTIONS * HTTP/1.1", "Connection: Upgrade", "Upgrade: TLS/1.0")],
    allow: [passed({ method: "OPTIONS", target: "*" }), refused(400)],
  },
  {
    id: "upgrade-then-next-request",
    why: "RFC 9112 9.3: a declined upgrade leaves the pipeline in order",
    send: [open + head("GET /second HTTP/1.1")],
    allow: [
      passedAll([{ target: "/ws" }, { target: "/second" }]),
      {
        backend: [{ target: "/ws" }],
        client: [{ status: 200 }],
        after: "closed",
        because: "a gateway may not read ahead of a possible tunnel",
      },
    ],
  },
  {
    id: "upgrade-in-a-response-to-a-plain-request",
    why: "RFC 9110 7.8: Upgrade in a 200 advertises for that hop only",
    send: [rawHead("GET /x HTTP/1.1", `Host: ${HOST}`)],
    answers: [reply(response("HTTP/1.1 200 OK", ["Upgrade: h2c", "Connection: Upgrade", "Content-Length: 2"], "ok"))],
    allow: [passed({}, { client: [{ status: 200, fields: { upgrade: null }, body: "ok" }] })],
  },
];
