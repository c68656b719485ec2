// Makes TLS connections one after another: a handshake, one request, its answer, and the end. Every connection is looked
// at: one that was resumed where it must not be, or the other way round, is a failure.
import { once } from "node:events";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import { AnswerReader } from "../open-loop/answer-reader.ts";
import { benchHost } from "../requests.ts";
import { assertNegotiated } from "./negotiation.ts";

/** What a caller makes connections to, and how. */
export interface HandshakeSetup {
  readonly port: number;
  readonly request: Buffer;
  readonly sessions: "new" | "resumed";
  readonly context: SecureContext;
}

/** What was counted. */
export interface HandshakeTotals {
  /** Connections that did what they should. */
  requests: number;
  failures: number;
  /** Bytes of answers. */
  bytes: number;
  /** Why the first failure failed; empty for none. */
  reason: string;
}

const patienceMs = 5000;

/** One caller: its connections follow each other, and where sessions are resumed, each takes up the last one's. */
export class HandshakeCaller {
  readonly totals: HandshakeTotals = { requests: 0, failures: 0, bytes: 0, reason: "" };
  readonly #setup: HandshakeSetup;
  #session: Buffer | undefined;

  constructor(setup: HandshakeSetup) {
    this.#setup = setup;
  }

  /** Takes up a session without counting, so that the first connection that counts can resume. */
  async prime(): Promise<void> {
    if (this.#setup.sessions === "resumed") await this.#connect();
  }

  /** One connection from beginning to end; never rejects, but counts. */
  async call(): Promise<void> {
    try {
      const { resumed, bytes } = await this.#connect();
      const expected = this.#setup.sessions === "resumed";
      if (resumed !== expected) throw new Error(`a session was ${resumed ? "" : "not "}resumed`);
      this.totals.requests++;
      this.totals.bytes += bytes;
    } catch (error) {
      this.totals.failures++;
      this.totals.reason ||= error instanceof Error ? error.message : String(error);
    }
  }

  async #connect(): Promise<{ resumed: boolean; bytes: number }> {
    const { port, request, context } = this.#setup;
    const socket = connect({
      port,
      host: "127.0.0.1",
      secureContext: context,
      servername: benchHost,
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.setTimeout(patienceMs, () => socket.destroy(new Error(`nothing happened for ${patienceMs} ms`)));
    if (this.#setup.sessions === "resumed") socket.on("session", (session) => (this.#session = session));
    try {
      socket.setNoDelay(true);
      await once(socket, "secureConnect");
      assertNegotiated(socket);
      socket.write(request);
      const bytes = await readAnswer(socket);
      const resumed = socket.isSessionReused();
      socket.end();
      await once(socket, "close");
      return { resumed, bytes };
    } finally {
      socket.destroy();
    }
  }
}

/** Resolves with the number of bytes received when one answer is complete. */
function readAnswer(socket: TLSSocket): Promise<number> {
  const reader = new AnswerReader();
  let received = 0;
  return new Promise<number>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the proxy closed a connection before its answer")));
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
      const progress = reader.push(bytes);
      if (progress.kind === "complete" && progress.status === 200) resolve(received);
      else if (progress.kind !== "more") reject(new Error(`unexpected answer: ${JSON.stringify(progress)}`));
    });
  });
}
