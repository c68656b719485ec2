// Asks a server one question over HTTP/2, or makes one gRPC call, to know that it is ready and does the work it is measured for.
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { connect as connectPlainly, type Socket } from "node:net";
import { connect as connectSecurely, type SecureContext } from "node:tls";
import { benchHost, grpcMessage } from "../requests.ts";
import { assertNegotiated } from "../tls/negotiation.ts";

const patienceMs = 2000;

/** An answer. */
export interface Http2Answer {
  readonly status: number;
  /** One character a byte. */
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

/** What to ask. */
export interface Http2Question {
  readonly port: number;
  readonly path: string;
  /** Ask over TLS, and only accept what this offers, and HTTP/2. */
  readonly tls?: SecureContext | undefined;
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a connection of its own; rejects on an error, another protocol than HTTP/2, or after two seconds. */
export async function askHttp2(question: Http2Question): Promise<Http2Answer> {
  const { port, tls } = question;
  const scheme = tls === undefined ? "http" : "https";
  const session = connect(`${scheme}://${benchHost}`, { createConnection: () => openSocket(port, tls) });
  try {
    return await new Promise<Http2Answer>((resolve, reject) => {
      session.on("error", reject);
      session.on("close", () => reject(new Error("the connection was closed before the answer")));
      send(session, question, { resolve, reject });
    });
  } finally {
    session.destroy();
  }
}

/** One unary call of the gRPC backend; resolves with the message it answered, and rejects on any status but OK. */
export async function callGrpc(port: number, method: string, sent = ""): Promise<string> {
  const fields = { "content-type": "application/grpc", te: "trailers" };
  const path = `/bench.Bench/${method}`;
  const { status, body, trailers } = await askHttp2({ port, path, method: "POST", fields, body: grpcMessage(sent) });
  const grpcStatus = trailers["grpc-status"];
  if (status !== 200 || grpcStatus !== "0")
    throw new Error(
      `${method}: status ${status}, grpc-status ${String(grpcStatus)} ${String(trailers["grpc-message"] ?? "")}`,
    );
  const received = body.slice(5);
  if (body !== grpcMessage(received)) throw new Error(`${method}: ${body.length} bytes that are not one message`);
  return received;
}

function openSocket(port: number, tls: SecureContext | undefined): Socket {
  if (tls === undefined) return connectPlainly({ port, host: "127.0.0.1" });
  const socket = connectSecurely({
    port,
    host: "127.0.0.1",
    servername: benchHost,
    ALPNProtocols: ["h2"],
    secureContext: tls,
  });
  socket.once("secureConnect", () => {
    try {
      assertNegotiated(socket);
      if (socket.alpnProtocol !== "h2") throw new Error(`ALPN chose ${String(socket.alpnProtocol)} instead of h2`);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  return socket;
}

interface Settlement {
  readonly resolve: (answer: Http2Answer) => void;
  readonly reject: (reason: unknown) => void;
}

function send(session: ClientHttp2Session, question: Http2Question, { resolve, reject }: Settlement): void {
  const { path, method = "GET", fields = {}, body = "" } = question;
  const stream = session.request({ ":method": method, ":path": path, ...fields }, { endStream: body === "" });
  const chunks: Buffer[] = [];
  let status = 0;
  let trailers: IncomingHttpHeaders = {};
  stream.on("response", (headers) => {
    status = headers[":status"] ?? 0;
    // An answer of nothing but a head has what would else be in its trailers.
    trailers = headers;
  });
  stream.on("trailers", (received: IncomingHttpHeaders) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", reject);
  stream.on("end", () => resolve({ status, body: Buffer.concat(chunks).toString("latin1"), trailers }));
  stream.setTimeout(patienceMs, () => reject(new Error(`no answer within ${patienceMs} ms`)));
  if (body !== "") stream.end(Buffer.from(body, "latin1"));
}
