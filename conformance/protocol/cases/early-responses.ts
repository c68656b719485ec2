// Answers that come before the request is complete (RFC 9112 section 9.3, 9.5): relayed, and the rest of the body stays body.
import { AWAIT_REQUEST, AWAIT_RESPONSE, END, head, ok, replyEarly, RESET, response } from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const line = "POST /early HTTP/1.1";
const smuggled = head("GET /smuggled HTTP/1.1");
const tooLarge = response("HTTP/1.1 413 Content Too Large", ["Content-Length: 2"], "no");
const tooLargeClosing = response("HTTP/1.1 413 Content Too Large", ["Content-Length: 2", "Connection: close"], "no");

const relayed = (status: number): readonly [Outcome, ...Outcome[]] => [
  { backend: [], client: [{ status }], after: "closed" },
  { backend: [{}], client: [{ status }], after: "any", because: "the rest of the body may still go to the backend" },
  { backend: [], client: [{ status }], after: "open", because: "the rest of the body may be drained and dropped" },
];

/** Answers before the end of the request. */
export const earlyResponseCases: readonly ProtocolCase[] = [
  {
    id: "early-413-then-body",
    why: "RFC 9110 15.5.14: the client reads the refusal although it is still sending",
    send: [head(line, `Content-Length: ${smuggled.length}`), AWAIT_RESPONSE, smuggled],
    answers: [replyEarly(tooLarge)],
    allow: relayed(413),
  },
  {
    id: "early-413-closing-then-body",
    why: "RFC 9112 9.6: the same when the backend closes its side",
    send: [head(line, `Content-Length: ${smuggled.length}`), AWAIT_RESPONSE, smuggled],
    answers: [replyEarly(tooLargeClosing, END)],
    allow: relayed(413),
  },
  {
    id: "early-413-during-a-large-body",
    why: "RFC 9112 9.6: a reset must not eat the refusal while the client sends a large body",
    send: [head(line, "Content-Length: 4000000") + "x".repeat(100_000), AWAIT_RESPONSE, "x".repeat(100_000)],
    answers: [replyEarly(tooLargeClosing, END)],
    allow: [{ backend: [], client: [{ status: 413 }], after: "any" }],
  },
  {
    id: "early-413-then-reset",
    why: "a backend that answers and resets is either heard or reported, never half heard",
    send: [head(line, "Content-Length: 4000000") + "x".repeat(1000), { pause: 60 }],
    answers: [replyEarly(tooLargeClosing, { pause: 20 }, RESET)],
    allow: [
      { backend: [], client: [{ status: 413 }], after: "any" },
      { backend: [], client: [{ status: [502, 503] }], after: "any", because: "the reset may come first" },
    ],
  },
  {
    id: "early-200-chunked-upload",
    why: "the same for a chunked upload: what follows the answer is chunks, not a request",
    send: [head(line, "Transfer-Encoding: chunked"), "5\r\nhello\r\n", AWAIT_RESPONSE, `0\r\n\r\n${smuggled}`],
    answers: [replyEarly(ok("early"))],
    allow: [
      { backend: [], client: [{ status: 200 }], after: "closed" },
      { backend: [{ body: "hello" }], client: [{ status: 200 }], after: "closed" },
      {
        backend: [{ body: "hello" }, { target: "/smuggled" }],
        client: [{ status: 200 }, { status: 200 }],
        after: "open",
        because: "after the last chunk it IS the next request, in order",
      },
    ],
  },
  {
    id: "early-200-body-never-finished",
    why: "a backend connection whose request was not fully sent is not used again",
    send: [head(line, "Content-Length: 1000"), AWAIT_RESPONSE, END],
    answers: [replyEarly(ok("early"))],
    allow: [
      { backend: [], client: [{ status: 200, body: "early" }], after: "closed", backendConnection: "not-reused" },
    ],
  },
  {
    id: "early-streaming-both-ways",
    why: "RFC 9112 9.3: a backend may answer while it reads; both directions flow at once",
    send: [
      head(line, "Transfer-Encoding: chunked"),
      "5\r\nhello\r\n",
      { awaitHead: 1 },
      { pause: 30 },
      "6\r\n world\r\n0\r\n\r\n",
    ],
    answers: [
      replyEarly(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
        AWAIT_REQUEST,
        "3\r\ntwo\r\n0\r\n\r\n",
      ),
    ],
    allow: [{ backend: [{ body: "hello world" }], client: [{ status: 200, body: "onetwo" }], after: "any" }],
  },
  {
    id: "early-error-in-request-body-after-answer-began",
    why: "RFC 9112 11.2: the request turned out malformed while its answer was on the way: the answer is cut",
    send: [head(line, "Transfer-Encoding: chunked"), "5\r\nhello\r\n", { awaitHead: 1 }, { pause: 30 }, "zz\r\n"],
    answers: [replyEarly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")],
    allow: [
      { backend: [], client: [{ status: 200, complete: false }], after: "closed", backendConnection: "not-reused" },
    ],
  },
  {
    id: "early-error-in-request-body-before-answer",
    why: "RFC 9112 11.2: the request turned out malformed before any answer: 400",
    send: [head(line, "Transfer-Encoding: chunked"), "5\r\nhello\r\n", { awaitHead: 1 }, "zz\r\n"],
    allow: [{ backend: [], client: [{ status: 400 }], after: "closed" }],
  },
];
