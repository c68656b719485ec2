// HTTP/1.0 clients and backends (RFC 9112 section 9.3, appendix C; RFC 9110 section 2.5).
import { answered, cut, END, head, HOST, ok, passed, passedAll, rawHead, refused, reply, response } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const host = `Host: ${HOST}`;
const get = rawHead("GET /old HTTP/1.0", host);
const chunkedAnswer = response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n");

/** HTTP/1.0 on either side. */
export const http10Cases: readonly ProtocolCase[] = [
  {
    id: "1.0-get",
    why: "RFC 9112 9.3: without keep-alive an HTTP/1.0 connection ends after the answer",
    send: [get],
    allow: [passed({ method: "GET", target: "/old" }, { after: "closed" })],
  },
  {
    id: "1.0-keep-alive",
    why: "RFC 9112 9.3, C.2.2: keep-alive may be granted, and then must be said",
    send: [rawHead("GET /old HTTP/1.0", host, "Connection: keep-alive")],
    allow: [
      passed({}, { client: [{ status: 200, fields: { connection: /keep-alive/i } }], after: "open" }),
      { ...passed({}, { after: "closed" }), because: "nobody is obliged to grant it" },
    ],
  },
  {
    id: "1.0-keep-alive-and-close",
    why: "RFC 9112 9.3: close wins",
    send: [rawHead("GET /old HTTP/1.0", host, "Connection: keep-alive, close")],
    allow: [passed({}, { after: "closed" })],
  },
  {
    id: "1.0-post",
    why: "RFC 1945 7.2.2: a length frames the body of an HTTP/1.0 request",
    send: [`${rawHead("POST /old HTTP/1.0", host, "Content-Length: 5")}hello`],
    allow: [passed({ method: "POST", body: "hello" }, { after: "closed" })],
  },
  {
    id: "1.0-pipelined-without-keep-alive",
    why: "RFC 9112 9.3: the connection ends after the first answer, the second request is not processed",
    send: [get + rawHead("GET /second HTTP/1.0", host)],
    allow: [passed({ target: "/old" }, { after: "closed" })],
  },
  {
    id: "1.0-without-host",
    why: "RFC 9112 3.2: Host is demanded of HTTP/1.1 only",
    send: [rawHead("GET /old HTTP/1.0", "X: y")],
    allow: [
      passed({ fields: { host: /^.+$/ } }, { after: "closed" }),
      { ...refused(400, 404, 426), because: "a gateway that routes by host may have no route without one" },
    ],
  },
  {
    id: "1.0-answer-not-chunked",
    why: "RFC 9112 6.1: Transfer-Encoding is never sent to an HTTP/1.0 client",
    send: [get],
    answers: [reply(chunkedAnswer)],
    allow: [
      answered(
        { status: 200, fields: { "transfer-encoding": null, trailer: null }, body: "hello" },
        { after: "closed" },
      ),
    ],
  },
  {
    id: "1.0-chunked-answer-without-its-extras",
    why: "RFC 9112 7.1: taking the coding off takes extensions and trailers off too",
    send: [get],
    answers: [
      reply(response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")),
    ],
    allow: [answered({ status: 200, body: "hello" }, { after: "closed" })],
  },
  {
    id: "1.0-chunked-answer-cut",
    why: "RFC 9112 8: an HTTP/1.0 client sees the end of the connection as the end of the body, so a cut is a reset",
    notOverTls: "there a cut is the missing close_notify (RFC 9112 9.8), which this client cannot tell from one",
    send: [get],
    answers: [reply(response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n"), { pause: 20 }, END)],
    allow: [
      cut({}, { after: "reset" }),
      {
        backend: [{}],
        client: [{ status: [502, 503] }],
        after: "closed",
        because: "a gateway that waits for the body can still refuse",
      },
    ],
  },
  {
    id: "1.0-upgrade-ignored",
    why: "RFC 9110 7.8: an Upgrade in HTTP/1.0 must be ignored",
    send: [rawHead("GET /old HTTP/1.0", host, "Connection: upgrade", "Upgrade: websocket")],
    allow: [
      passed({ fields: { upgrade: null } }, { after: "closed" }),
      { ...refused(400), because: "no client sends it" },
    ],
  },
  {
    id: "1.0-interim-not-relayed",
    why: "RFC 9110 15.2: no 1xx to an HTTP/1.0 client, it would take it for the answer",
    send: [get],
    answers: [reply("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", ok("final"))],
    allow: [answered({ status: 200, body: "final" }, { after: "closed", interim: [] })],
  },
  {
    id: "1.0-client-sees-1.1-or-1.0-with-length",
    why: "RFC 9112 6.3: a length frames the answer for an HTTP/1.0 client too",
    send: [get],
    answers: [reply(ok("hello"))],
    allow: [answered({ status: 200, fields: { "content-length": "5" }, body: "hello" }, { after: "closed" })],
  },
  {
    id: "1.0-backend-with-length",
    why: "RFC 9110 2.5: a backend may answer HTTP/1.0; the client is answered in the gateway version",
    send: [head("GET / HTTP/1.1")],
    answers: [reply(response("HTTP/1.0 200 OK", ["Content-Length: 5"], "hello"), END)],
    allow: [answered({ status: 200, body: "hello" }, { backendConnection: "not-reused" })],
  },
  {
    id: "1.0-backend-without-length",
    why: "RFC 9112 6.3: its answer ends with the connection; the client gets a framed one",
    send: [head("GET / HTTP/1.1")],
    answers: [reply("HTTP/1.0 200 OK\r\n\r\nhello", END)],
    allow: [
      answered({ status: 200, fields: { "transfer-encoding": "chunked" }, body: "hello" }),
      {
        ...answered({ status: 200, fields: { "content-length": "5" }, body: "hello" }),
        because: "a gateway that waits for the end knows the length",
      },
    ],
  },
  {
    id: "1.0-backend-keep-alive",
    why: "RFC 9112 C.2.2: a backend that speaks HTTP/1.0 keeps its connection only if it says so",
    send: [head("GET /1 HTTP/1.1") + head("GET /2 HTTP/1.1")],
    answers: [reply(response("HTTP/1.0 200 OK", ["Content-Length: 3", "Connection: keep-alive"], "one"))],
    allow: [passedAll([{ target: "/1" }, { target: "/2" }])],
  },
  {
    id: "1.0-backend-chunked",
    why: "RFC 9112 6.1: Transfer-Encoding in an HTTP/1.0 answer is faulty framing",
    send: [head("GET / HTTP/1.1")],
    answers: [reply(response("HTTP/1.0 200 OK", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n"), END)],
    allow: [{ backend: [{}], client: [{ status: 502 }], after: "any", backendConnection: "not-reused" }],
  },
];
