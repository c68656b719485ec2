// Pipelining and connection persistence (RFC 9112 section 9.3): order, and nothing after a mistake.
import {
  AWAIT_RESPONSE,
  chunked,
  END,
  head,
  HOST,
  ok,
  passed,
  passedAll,
  post,
  rawHead,
  reply,
  replyEarly,
  response,
} from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = (path: string, ...fields: readonly string[]): string => head(`GET ${path} HTTP/1.1`, ...fields);
const seen = (path: string): { readonly status: number; readonly body: string } => ({
  status: 200,
  body: `seen GET ${path}`,
});

/** Several requests on one connection. */
export const pipeliningCases: readonly ProtocolCase[] = [
  {
    id: "pipeline-two",
    why: "RFC 9112 9.3.2: answers come in the order of the requests",
    send: [get("/1") + get("/2")],
    allow: [passedAll([{ target: "/1" }, { target: "/2" }], { client: [seen("/1"), seen("/2")] })],
  },
  {
    id: "pipeline-thirty",
    why: "RFC 9112 9.3.2: the same for a long pipeline",
    send: [Array.from({ length: 30 }, (_, i) => get(`/${i}`)).join("")],
    allow: [
      passedAll(
        Array.from({ length: 30 }, (_, i) => ({ target: `/${i}` })),
        { client: Array.from({ length: 30 }, (_, i) => seen(`/${i}`)) },
      ),
    ],
  },
  {
    id: "pipeline-slow-first-answer",
    why: "RFC 9112 9.3.2: a slow first answer holds the second back",
    send: [get("/slow") + get("/fast")],
    answers: [reply({ pause: 80 }, ok("slow")), reply(ok("fast"))],
    allow: [
      passedAll([{ target: "/slow" }, { target: "/fast" }], {
        client: [
          { status: 200, body: "slow" },
          { status: 200, body: "fast" },
        ],
      }),
    ],
  },
  {
    id: "pipeline-bodies-between",
    why: "RFC 9112 9.3: each request starts where the body before it ends",
    send: [post("one") + chunked("3\r\ntwo\r\n0\r\n\r\n") + post("") + get("/last")],
    allow: [passedAll([{ body: "one" }, { body: "two" }, { body: "" }, { target: "/last" }])],
  },
  {
    id: "pipeline-head-then-get",
    why: "RFC 9110 9.3.2: the answer to HEAD has no body, so the next answer follows its head at once",
    send: [head("HEAD /1 HTTP/1.1") + get("/2")],
    answers: [reply(response("HTTP/1.1 200 OK", ["Content-Length: 10"]))],
    heads: [0],
    allow: [
      passedAll([{ method: "HEAD" }, { target: "/2" }], {
        client: [{ status: 200, fields: { "content-length": "10" }, body: "" }, seen("/2")],
      }),
    ],
  },
  {
    id: "pipeline-head-after-get",
    why: "RFC 9110 9.3.2: which answers have no body goes by the order of the requests",
    send: [get("/1") + head("HEAD /2 HTTP/1.1") + get("/3")],
    answers: [reply(ok("one")), reply(response("HTTP/1.1 200 OK", ["Content-Length: 10"])), reply(ok("three"))],
    heads: [1],
    allow: [
      passedAll([{}, { method: "HEAD" }, {}], {
        client: [
          { status: 200, body: "one" },
          { status: 200, body: "" },
          { status: 200, body: "three" },
        ],
      }),
    ],
  },
  {
    id: "pipeline-split-in-second-head",
    why: "RFC 9112 2: segments do not matter",
    send: [`${get("/1")}GET /2 HT`, `TP/1.1\r\nHost: ${HOST}\r`, "\n\r", "\n"],
    allow: [passedAll([{ target: "/1" }, { target: "/2" }])],
  },
  {
    id: "pipeline-malformed-second",
    why: "RFC 9112 11.2: the first is answered, the malformed second is 400, and the connection ends",
    send: [`${get("/1")}GET /2\r\n\r\n`],
    allow: [{ backend: [{ target: "/1" }], client: [seen("/1"), { status: [400, 505] }], after: "closed" }],
  },
  {
    id: "pipeline-nothing-after-an-error",
    why: "RFC 9112 11.2: after a malformed message nothing on that connection is a request any more",
    send: [`${get("/1")}GET /bad path HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${get("/smuggled")}`],
    allow: [{ backend: [{ target: "/1" }], client: [seen("/1"), { status: 400 }], after: "closed" }],
  },
  {
    id: "pipeline-nothing-after-a-malformed-body",
    why: "RFC 9112 11.2: the same when a body was malformed",
    send: [`${chunked("zz\r\n")}${get("/smuggled")}`],
    allow: [{ backend: [], client: [{ status: 400 }], after: "closed" }],
  },
  {
    id: "pipeline-nothing-after-close",
    why: "RFC 9112 9.6: a server must not process requests after one that said close",
    send: [get("/1", "Connection: close") + get("/2")],
    allow: [{ backend: [{ target: "/1" }], client: [seen("/1")], after: "closed" }],
  },
  {
    id: "pipeline-close-in-a-list",
    why: "RFC 9110 7.6.1: close is one option of a list, compared without case",
    send: [get("/1", "Connection: x-a, CLOSE ,x-b") + get("/2")],
    allow: [{ backend: [{ target: "/1" }], client: [seen("/1")], after: "closed" }],
  },
  {
    id: "pipeline-closing-is-not-close",
    why: "RFC 9110 7.6.1: an option is a whole token; `closed` does not close",
    send: [get("/1", "Connection: closed") + get("/2")],
    allow: [passedAll([{ target: "/1" }, { target: "/2" }])],
  },
  {
    id: "pipeline-backend-closes-between",
    why: "RFC 9112 9.6: close from the backend concerns that hop alone; the second request takes another connection",
    send: [get("/1") + get("/2")],
    answers: [reply(ok("one", "Connection: close"), END)],
    allow: [
      passedAll([{ target: "/1" }, { target: "/2" }], {
        client: [{ status: 200, body: "one" }, seen("/2")],
        backendConnection: "not-reused",
      }),
    ],
  },
  {
    id: "pipeline-backend-closes-without-saying",
    why: "RFC 9112 9.5: a backend may close an idle connection at any time; the next request must survive that",
    send: [get("/1"), AWAIT_RESPONSE, { pause: 50 }, get("/2")],
    answers: [reply(ok("one"), END)],
    allow: [passedAll([{ target: "/1" }, { target: "/2" }], { client: [{ status: 200, body: "one" }, seen("/2")] })],
  },
  {
    id: "pipeline-second-after-502",
    why: "a failed exchange does not shift the answers behind it",
    send: [get("/1") + get("/2")],
    answers: [reply("garbage\r\n\r\n", END)],
    allow: [
      passedAll([{ target: "/1" }, { target: "/2" }], { client: [{ status: 502 }, seen("/2")] }),
      {
        backend: [{ target: "/1" }],
        client: [{ status: 502 }],
        after: "closed",
        because: "closing after a gateway error is allowed (RFC 9112 9.6)",
      },
    ],
  },
  {
    id: "pipeline-two-answers-to-one-request",
    why: "response desync: a surplus answer of the backend must not become the answer to the next request",
    send: [get("/1") + get("/2")],
    answers: [reply(ok("one") + ok("poison"))],
    allow: [
      passedAll([{ target: "/1" }, { target: "/2" }], {
        client: [{ status: 200, body: "one" }, seen("/2")],
        backendConnection: "not-reused",
      }),
    ],
  },
  {
    id: "pipeline-answer-before-the-second-request",
    why: "response desync: an answer sent early, for a request not yet made, is not its answer",
    send: [get("/1"), AWAIT_RESPONSE, { pause: 50 }, get("/2")],
    answers: [reply(ok("one"), { pause: 20 }, ok("poison"))],
    allow: [
      passedAll([{ target: "/1" }, { target: "/2" }], {
        client: [{ status: 200, body: "one" }, seen("/2")],
        backendConnection: "not-reused",
      }),
    ],
  },
  {
    id: "pipeline-half-close-after-request",
    why: "RFC 9112 9.6: a client that ends its side still gets its answer",
    send: [get("/1"), END],
    answers: [reply({ pause: 50 }, ok("one"))],
    allow: [{ backend: [{ target: "/1" }], client: [{ status: 200, body: "one" }], after: "closed" }],
  },
  {
    id: "pipeline-early-answer-then-rest-of-body",
    why: "the rest of a body that was answered early is not the next request (CL.0)",
    send: [
      `${head("POST /early HTTP/1.1", `Content-Length: ${get("/smuggled").length}`)}`,
      AWAIT_RESPONSE,
      get("/smuggled"),
    ],
    answers: [replyEarly(ok("early"))],
    allow: [
      { backend: [], client: [{ status: 200, body: "early" }], after: "closed" },
      { backend: [{ body: get("/smuggled") }], client: [{ status: 200, body: "early" }], after: "any" },
      { backend: [], client: [{ status: 200, body: "early" }], after: "open", because: "the rest may be drained" },
    ],
  },
  {
    id: "pipeline-keep-alive-option",
    why: "RFC 9112 9.3: keep-alive is the default of HTTP/1.1 and saying so changes nothing",
    send: [rawHead("GET /1 HTTP/1.1", `Host: ${HOST}`, "Connection: keep-alive")],
    allow: [passed({ target: "/1", fields: { "keep-alive": null } })],
  },
];
