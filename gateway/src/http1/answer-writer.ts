/** Writes answers of one HTTP/1.x connection: heads with what the codec adds, and bodies in the framing the client can read. */
import type { Socket } from "node:net";
import type { BodyFraming, BodyLease, BodyMode, SendOutcome } from "../exchange/contract.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { Outlet, type SocketWays } from "../wire/outlet.ts";
import { dateLine } from "../head/http-date.ts";

/** What an answer depends on besides itself. */
export interface AnswerTerms {
  /** The client speaks HTTP/1.0. */
  old: boolean;
  /** The connection may carry another request afterwards. */
  persistent: boolean;
  /** The request was HEAD: lengths are those of another answer. */
  bodiless: boolean;
}

/** Writes one answer after the other. */
export class AnswerWriter {
  readonly outlet: Outlet;
  readonly #socket: Socket;
  /** Writes there were when the head was gathered. */
  #headMark = -1;
  /** Pieces of the body are content that must be framed here. */
  #encodes = false;

  constructor(socket: Socket, ways: SocketWays, onDrain: () => void) {
    this.#socket = socket;
    this.outlet = new Outlet(socket, ways, onDrain);
  }

  /** A 1xx head; HTTP/1.0 knows none (RFC 9110 section 15.2). */
  interim(head: ResponseHead, terms: AnswerTerms): void {
    if (terms.old) return;
    this.outlet.text(`${head.toHttp1()}\r\n`);
    this.outlet.flush();
  }

  /** The final head. Clears `terms.persistent` where the end of the body can only be shown by closing. */
  head(head: ResponseHead, framing: BodyFraming, mode: BodyMode, terms: AnswerTerms): void {
    this.#headMark = this.outlet.writes;
    let text = head.status === 204 ? head.withoutLength().toHttp1() : head.toHttp1();
    if (!head.dated && head.lookup("date") === undefined) text += dateLine();
    this.#encodes = false;
    if (framing === "tunnel") text += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`;
    else {
      if (framing === "stream") {
        if (terms.old) terms.persistent = false;
        else {
          text += "transfer-encoding: chunked\r\n";
          this.#encodes = mode === "content";
        }
      } else if (framing === "none" && lacksLength(head, terms)) text += "content-length: 0\r\n";
      if (!terms.persistent) text += "connection: close\r\n";
      else if (terms.old) text += "connection: keep-alive\r\n";
    }
    this.outlet.text(`${text}\r\n`);
  }

  /** Takes the head back while not a byte of it is out. */
  retractHead(): boolean {
    if (this.outlet.writes !== this.#headMark) return false;
    this.outlet.discard();
    return true;
  }

  /**
   * Ends the connection so that a cut answer does not look whole: over TLS without close_notify, over TCP with a reset. False:
   * nothing was ever written here, so that a plain end cuts nothing.
   */
  cut(scheme: "http" | "https"): boolean {
    this.outlet.discard();
    if (this.outlet.writes === 0) return false;
    if (scheme === "https") this.#socket.destroy();
    else this.#socket.resetAndDestroy();
    return true;
  }

  body(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    return this.#encodes ? this.outlet.sendChunk(bytes, from, to) : this.outlet.send(bytes, from, to, lease);
  }

  end(trailers: string): void {
    if (this.#encodes) this.outlet.endChunks(trailers);
    this.#encodes = false;
  }
}

/** In HTTP/2 an answer can end with its head; in HTTP/1.1 one that says nothing of its length goes on until the connection ends. */
function lacksLength(head: ResponseHead, { bodiless }: AnswerTerms): boolean {
  return !bodiless && head.status !== 204 && head.status !== 304 && head.lookup("content-length") === undefined;
}
