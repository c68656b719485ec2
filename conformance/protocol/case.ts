// What a protocol case is: bytes in, what the backend answers, and the outcomes that are safe. Data only, plus the short
// words the tables are written in.
import type { Act, Answer } from "@sallyport/testkit/raw-upstream";

/**
 * One thing the client does: send bytes (latin1), end its side, wait for the head or the whole of the n-th request
 * (from 1) at the backend, wait for an interim or final response, or wait some milliseconds.
 */
export type Step =
  | string
  | Act<"end" | "await-interim" | "await-response">
  | { readonly awaitHead: number }
  | { readonly awaitRequest: number }
  | { readonly pause: number };

/** Ends this side of the connection (either side may). */
export const END = { do: "end" } as const;
/** The backend resets the connection. */
export const RESET = { do: "reset" } as const;
/** The backend becomes a tunnel that echoes. */
export const ECHO = { do: "echo" } as const;
/** The backend waits until it has the whole request. */
export const AWAIT_REQUEST = { do: "await-request" } as const;
/** The client waits for an interim response. */
export const AWAIT_INTERIM = { do: "await-interim" } as const;
/** The client waits for the head of a final response. */
export const AWAIT_RESPONSE = { do: "await-response" } as const;

/** What is asked of a field: absent, present with any value, or its values (joined by `, `) equal or matching. */
export type FieldCheck = null | true | string | RegExp;

/** What must be true of one request that reached the backend. Names of fields in lower case. */
export interface ExpectedRequest {
  readonly method?: string;
  readonly target?: string;
  readonly fields?: Readonly<Record<string, FieldCheck>>;
  readonly trailers?: Readonly<Record<string, FieldCheck>>;
  readonly body?: string;
}

/** What must be true of one final response the client read. */
export interface ExpectedResponse {
  readonly status: number | readonly number[];
  readonly fields?: Readonly<Record<string, FieldCheck>>;
  readonly trailers?: Readonly<Record<string, FieldCheck>>;
  readonly body?: string | RegExp;
  /** False: the response must visibly be cut. Default true. */
  readonly complete?: boolean;
}

/** One safe outcome. */
export interface Outcome {
  /** Complete requests the backend saw, in order: exactly these. */
  readonly backend: readonly ExpectedRequest[];
  /** Final responses the client read, in order: exactly these. */
  readonly client: readonly ExpectedResponse[];
  /**
   * The client's connection afterwards: `open` is proven by one more request on it, `ended` is an orderly close,
   * `reset` an abort, `closed` either of the two, `any` not checked.
   */
  readonly after: "open" | "ended" | "reset" | "closed" | "any";
  /** Status codes of interim responses, exactly; not checked if absent. */
  readonly interim?: readonly number[];
  /** The backend connection of the first request must not carry another one. */
  readonly backendConnection?: "not-reused";
  /** What came through a tunnel at the backend and at the client. */
  readonly tunnel?: { readonly backend: string; readonly client: string };
  /** What all that the client received looks like (latin1), where it is no HTTP/1.1. */
  readonly received?: RegExp;
  /** Why this outcome is allowed when there are several. */
  readonly because?: string;
}

/** One named case. */
export interface ProtocolCase {
  readonly id: string;
  /** The clause of the RFC, or the class of attack, in a line. */
  readonly why: string;
  readonly send: readonly Step[];
  /** Why it says nothing over TLS; it is then run over TCP alone. */
  readonly notOverTls?: string;
  /** How the backend answers the n-th request; the rest get `200` and a body that names what was asked. */
  readonly answers?: readonly Answer[];
  /** Which final responses answer a HEAD. */
  readonly heads?: readonly number[];
  readonly allow: readonly [Outcome, ...Outcome[]];
}

/** The host every case uses unless it is about hosts. */
export const HOST = "a.test";

/** A request head: line, `Host`, the given field lines, the empty line. */
export function head(line: string, ...fields: readonly string[]): string {
  return [line, `Host: ${HOST}`, ...fields, "", ""].join("\r\n");
}

/** A head whose lines are all given. */
export function rawHead(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

/** A POST with a chunked body given as bytes. */
export function chunked(bytes: string, ...fields: readonly string[]): string {
  return head("POST /chunked HTTP/1.1", "Transfer-Encoding: chunked", ...fields) + bytes;
}

/** A POST of `body` with its length. */
export function post(body: string, ...fields: readonly string[]): string {
  return head("POST /post HTTP/1.1", `Content-Length: ${body.length}`, ...fields) + body;
}

/** Refused before anything reached the backend: this status, then the end of the connection. */
export function refused(...status: readonly number[]): Outcome {
  return { backend: [], client: [{ status }], after: "closed" };
}

/** Dropped without an answer. */
export function dropped(): Outcome {
  return { backend: [], client: [], after: "closed" };
}

/** One request reaches the backend, is answered 200, and the connection goes on. */
export function passed(request: ExpectedRequest = {}, more: Partial<Outcome> = {}): Outcome {
  return { backend: [request], client: [{ status: 200 }], after: "open", ...more };
}

/** These requests reach the backend in this order, each is answered 200, and the connection goes on. */
export function passedAll(requests: readonly ExpectedRequest[], more: Partial<Outcome> = {}): Outcome {
  return { backend: requests, client: requests.map(() => ({ status: 200 })), after: "open", ...more };
}

/** One GET reaches the backend and the client reads this response. */
export function answered(response: ExpectedResponse, more: Partial<Outcome> = {}): Outcome {
  return { backend: [{}], client: [response], after: "open", ...more };
}

/** The backend's answer was unusable: 502 from the gateway, and its connection is not used again. */
export function badGateway(more: Partial<Outcome> = {}): Outcome {
  return { backend: [{}], client: [{ status: 502 }], after: "any", backendConnection: "not-reused", ...more };
}

/** The response had begun when the backend failed: the client must see that it was cut. */
export function cut(response: Partial<ExpectedResponse> = {}, more: Partial<Outcome> = {}): Outcome {
  const client = [{ status: 200, ...response, complete: false }];
  return { backend: [{}], client, after: "closed", backendConnection: "not-reused", ...more };
}

/** Answers a complete request with these steps. */
export function reply(...steps: Answer["steps"]): Answer {
  return { when: "complete", steps };
}

/** Answers as soon as the head is there. */
export function replyEarly(...steps: Answer["steps"]): Answer {
  return { when: "head", steps };
}

/** A response head and body given as lines; the body is whatever comes last. */
export function response(line: string, fields: readonly string[], body = ""): string {
  return [line, ...fields, "", body].join("\r\n");
}

/** A plain 200 with its length. */
export function ok(body = "ok", ...fields: readonly string[]): string {
  return response("HTTP/1.1 200 OK", [`Content-Length: ${body.length}`, ...fields], body);
}

/** Each byte as a step of its own. */
export function bytewise(bytes: string): readonly string[] {
  return bytes.split("");
}

/** Each byte as a step of its own, each in a segment of its own. */
export function bytewiseAnswer(bytes: string): Answer {
  return reply(...bytes.split("").flatMap((byte) => [byte, { pause: 0 }]));
}
