// What holds for every request that reaches a backend and every response that reaches a client, whatever the case is about.
import { fieldValues } from "@sallyport/testkit/strict-http";
import type { Message } from "@sallyport/testkit/strict-http";
import type { Subject } from "./judge.ts";

interface Invariant {
  /** Names what is wrong when the check fails. */
  readonly wrong: string;
  /** Asked of Sallyport alone: what it adds and removes by its own defaults. */
  readonly own?: true;
  readonly holds: (message: Message) => boolean;
}

const absent =
  (...names: readonly string[]) =>
  (message: Message): boolean =>
    names.every((name) => fieldValues(message.fields, name).length === 0);
const joined = (message: Message, name: string): string => fieldValues(message.fields, name).join(", ");

const AT_THE_BACKEND: readonly Invariant[] = [
  { wrong: "Keep-Alive", holds: absent("keep-alive") },
  { wrong: "Proxy-Connection", holds: absent("proxy-connection") },
  { wrong: "HTTP2-Settings", holds: absent("http2-settings") },
  { wrong: "not one Host", holds: (request) => fieldValues(request.fields, "host").length === 1 },
  { wrong: "chunk extensions", holds: (request) => request.chunkExtensions.length === 0 },
  { wrong: "an underscore in a field name", holds: ({ fields }) => !fields.some((field) => field.name.includes("_")) },
  {
    wrong: "Upgrade without Connection: upgrade, or the other way round",
    holds: (request) => /upgrade/i.test(joined(request, "connection")) !== absent("upgrade")(request),
  },
  { wrong: "TE other than trailers", holds: (request) => /^(trailers)?$/.test(joined(request, "te")) },
  { wrong: "Upgrade: h2c", holds: (request) => !/\bh2/i.test(joined(request, "upgrade")) },
  { wrong: "a version other than 1.1", own: true, holds: (request) => request.version === "HTTP/1.1" },
  { wrong: "X-Forwarded-For", own: true, holds: (request) => joined(request, "x-forwarded-for") === "127.0.0.1" },
  { wrong: "X-Request-Id", own: true, holds: ({ fields }) => fieldValues(fields, "x-request-id").length === 1 },
  { wrong: "X-Forwarded-Host or Forwarded", own: true, holds: absent("x-forwarded-host", "forwarded") },
];

const AT_THE_CLIENT: readonly Invariant[] = [
  { wrong: "Proxy-Connection", holds: absent("proxy-connection") },
  { wrong: "TE or HTTP2-Settings", holds: absent("te", "http2-settings") },
  { wrong: "chunk extensions", holds: (response) => response.chunkExtensions.length === 0 },
  {
    wrong: "Connection: upgrade outside a 101",
    holds: (response) => response.status === 101 || !/upgrade/i.test(joined(response, "connection")),
  },
  {
    wrong: "framing in a 1xx or 204",
    holds: (response) =>
      (response.status >= 200 && response.status !== 204) || absent("content-length", "transfer-encoding")(response),
  },
];

/** What is wrong with a request for any backend. */
export function backendInvariants(request: Message, subject: Subject, scheme: "http" | "https"): string[] {
  const toldScheme: Invariant = {
    wrong: "X-Forwarded-Proto",
    own: true,
    holds: () => joined(request, "x-forwarded-proto") === scheme,
  };
  return [...AT_THE_BACKEND, toldScheme]
    .filter(({ own, holds }) => !(own === true && subject === "peer") && !holds(request))
    .map(({ wrong }) => `invariant at the backend: ${wrong}`);
}

/** What is wrong with a response for any client. */
export function clientInvariants(response: Message): string[] {
  return AT_THE_CLIENT.filter(({ holds }) => !holds(response)).map(({ wrong }) => `invariant at the client: ${wrong}`);
}
