// Expect: 100-continue (RFC 9110 section 10.1.1) and the desyncs built on it (0.CL, CL.0 with Expect).
import {
  AWAIT_INTERIM,
  AWAIT_REQUEST,
  AWAIT_RESPONSE,
  END,
  head,
  HOST,
  passed,
  passedAll,
  rawHead,
  refused,
  reply,
  replyEarly,
  response,
} from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const line = "POST /expect HTTP/1.1";
const smuggled = head("GET /smuggled HTTP/1.1");
const go = "HTTP/1.1 100 Continue\r\n\r\n";
const refusal = response("HTTP/1.1 403 Forbidden", ["Content-Length: 2"], "no");
const expecting = (length: number): string => head(line, "Expect: 100-continue", `Content-Length: ${length}`);

/** A final answer came before the body: the client reads it, and what it sends later is never a request. */
const early = (status: number): readonly [Outcome, Outcome, Outcome] => [
  { backend: [], client: [{ status }], after: "closed" },
  {
    backend: [{ body: smuggled }],
    client: [{ status }],
    after: "any",
    because: "the body may be drained to the backend as a body",
  },
  { backend: [], client: [{ status }], after: "open", because: "the body may be drained and dropped" },
];

/** Expectations. */
export const expectCases: readonly ProtocolCase[] = [
  {
    id: "expect-continue-then-body",
    why: "RFC 9110 10.1.1: the client is told to go on before it sends its body",
    send: [expecting(5), AWAIT_INTERIM, "hello"],
    answers: [replyEarly(go, AWAIT_REQUEST, response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok"))],
    allow: [passed({ body: "hello" }, { interim: [100] })],
  },
  {
    id: "expect-continue-client-does-not-wait",
    why: "RFC 9110 10.1.1: a client may send the body without waiting",
    send: [`${expecting(5)}hello`],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "expect-continue-mixed-case",
    why: "RFC 9110 10.1.1: the expectation compares without case",
    send: [`${head(line, "Expect: 100-Continue", "Content-Length: 5")}hello`],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "expect-continue-chunked",
    why: "RFC 9110 10.1.1: a chunked body may be expected too",
    send: [head(line, "Expect: 100-continue", "Transfer-Encoding: chunked"), AWAIT_INTERIM, "5\r\nhello\r\n0\r\n\r\n"],
    answers: [replyEarly(go, AWAIT_REQUEST, response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok"))],
    allow: [passed({ body: "hello" }, { interim: [100] })],
  },
  {
    id: "expect-continue-without-body",
    why: "RFC 9110 10.1.1: without a body to come the expectation is ignored and nothing waits",
    send: [head("GET /expect HTTP/1.1", "Expect: 100-continue")],
    allow: [passed({ method: "GET", body: "" })],
  },
  {
    id: "expect-continue-refused-by-backend",
    why: "RFC 9110 10.1.1: a final answer instead of 100; the body that the client sends anyway is not a request",
    send: [expecting(smuggled.length), AWAIT_RESPONSE, smuggled],
    answers: [replyEarly(refusal)],
    allow: early(403),
  },
  {
    id: "expect-continue-refused-with-close",
    why: "RFC 9110 10.1.1: the backend refuses and closes; the client reads the refusal whole",
    send: [expecting(smuggled.length), AWAIT_RESPONSE, smuggled],
    answers: [
      replyEarly(response("HTTP/1.1 417 Expectation Failed", ["Content-Length: 2", "Connection: close"], "no"), END),
    ],
    allow: early(417),
  },
  {
    id: "expect-continue-answered-200-at-once",
    why: "a backend that ignores the body (CL.0): what the client then sends is body, never a request of its own",
    send: [expecting(smuggled.length), AWAIT_RESPONSE, smuggled],
    answers: [replyEarly(response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok"))],
    allow: early(200),
  },
  {
    id: "expect-continue-twice-from-backend",
    why: "RFC 9110 15.2: a second 100 is one more interim answer, not the final one",
    send: [`${expecting(5)}hello`],
    answers: [replyEarly(go, go, AWAIT_REQUEST, response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok"))],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "expect-continue-late",
    why: "RFC 9110 15.2.1: a 100 after the whole request is harmless and must not be taken for its answer",
    send: [`${expecting(5)}hello`],
    answers: [reply(go, response("HTTP/1.1 200 OK", ["Content-Length: 2", "X-Final: 1"], "ok"))],
    allow: [passed({ body: "hello" }, { client: [{ status: 200, fields: { "x-final": "1" } }] })],
  },
  ...(
    [
      ["unknown", "Expect: something"],
      ["unknown-beside", "Expect: 100-continue, something"],
      ["prefix", "Expect: y 100-continue"],
      ["suffix", "Expect: 100-continueX"],
      ["parameter", "Expect: 100-continue;x=y"],
      ["twice", "Expect: 100-continue\r\nExpect: 100-continue"],
      ["quoted", 'Expect: "100-continue"'],
    ] as const
  ).map(([name, field]) => ({
    id: `expect-${name}`,
    why: "RFC 9110 10.1.1: an expectation that is not understood is 417; two hops that read it differently desync (0.CL)",
    send: [`${head(line, field, `Content-Length: ${smuggled.length}`)}${smuggled}`],
    allow: [refused(417, 400)] as const,
  })),
  {
    id: "expect-folded",
    why: 'RFC 9112 5.2: a folded expectation hides it from one hop (2025, "HTTP/1.1 must die")',
    send: [`${head(line, "Expect:", " 100-continue", `Content-Length: ${smuggled.length}`)}${smuggled}`],
    allow: [refused(400)],
  },
  {
    id: "expect-space-before-colon",
    why: "RFC 9112 5.1: no whitespace before the colon",
    send: [`${head(line, "Expect : 100-continue", `Content-Length: ${smuggled.length}`)}${smuggled}`],
    allow: [refused(400)],
  },
  {
    id: "expect-in-1.0",
    why: "RFC 9110 10.1.1: an expectation in HTTP/1.0 is ignored; no 100 may be sent to that client",
    send: [`${rawHead("POST /expect HTTP/1.0", `Host: ${HOST}`, "Expect: 100-continue", "Content-Length: 5")}hello`],
    answers: [reply(go, response("HTTP/1.1 200 OK", ["Content-Length: 2"], "ok"))],
    allow: [passed({ body: "hello" }, { after: "closed", interim: [] })],
  },
  {
    id: "expect-then-next-request",
    why: "RFC 9112 9.3: after an expected body the next request starts where the body ends",
    send: [`${expecting(5)}hello${head("GET /second HTTP/1.1")}`],
    allow: [passedAll([{ body: "hello" }, { target: "/second" }])],
  },
];
