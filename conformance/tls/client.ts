// One TLS client and what came of it: an answer, a handshake that failed, or a connection that was closed.
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { head } from "../protocol/case.ts";

/** How long a test waits before it calls it a hang. Milliseconds. */
const PATIENCE = 10_000;

/** What a client saw. */
export interface TlsOutcome {
  /** Of the HTTP answer; 0 where none came. */
  readonly status: number;
  readonly answer: string;
  /** An error of the handshake or of the socket; "" where there was none. */
  readonly error: string;
  /** The session was resumed. */
  readonly reused: boolean;
  /** Version and cipher, "" where there was no handshake. */
  readonly version: string;
  /** Common name or first name of the server's certificate. */
  readonly peer: string;
  /** The last session ticket that came; undefined where none did. */
  readonly session: Buffer | undefined;
}

/** Connects, asks once (with Connection: close) and waits for the end. */
export function askTls(options: ConnectionOptions & { readonly port: number }, request?: string): Promise<TlsOutcome> {
  const socket = connect({ host: "127.0.0.1", rejectUnauthorized: false, ...options });
  return watch(socket, request ?? head("GET / HTTP/1.1", "Connection: close"));
}

function watch(socket: TLSSocket, request: string): Promise<TlsOutcome> {
  let answer = "";
  let error = "";
  let session: Buffer | undefined;
  let facts = { reused: false, version: "", peer: "" };
  socket.on("session", (ticket: Buffer) => {
    session = ticket;
  });
  socket.on("secureConnect", () => {
    const { subjectaltname = "" } = socket.getPeerCertificate();
    facts = { reused: socket.isSessionReused(), version: socket.getProtocol() ?? "", peer: subjectaltname };
    socket.write(request, "latin1");
  });
  socket.on("data", (bytes: Buffer) => {
    answer += bytes.toString("latin1");
  });
  socket.on("error", (failure: Error & { readonly code?: string }) => {
    error = failure.code ?? failure.message;
  });
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error("no end came")));
  return new Promise((resolve) => {
    socket.on("close", () => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
      resolve({ status, answer, error, session, ...facts });
    });
  });
}
