/**
 * The seam between codecs and exchanges. A downstream codec turns a connection into request heads and body pieces and
 * gives them to a RequestReceiver; an exchange sends the request through an UpstreamStream and gets the answer as an
 * AnswerReceiver. HTTP/1.1 and HTTP/2 implement both roles; an exchange does not know which it talks to.
 *
 * Everything is synchronous, and flow control is explicit:
 * - A body is delivered piece by piece. The sink says what became of the piece (SendOutcome); after "full" the source
 *   delivers nothing more until resumeBody(). The piece itself is never refused.
 * - Sinks may gather small pieces; whoever ends a turn of reading calls flush(), whose outcome counts like sendBody's.
 * - Bytes are valid during the call only. A sink that needs them longer copies them, or holds the lease that came along.
 *
 * Between two HTTP/1.1 connections chunked bodies pass without being decoded: a source that can hand out validated
 * chunked coding says offersRaw, a sink that writes it as it is says takesRaw, and the exchange chooses "raw" only where
 * all sinks of a body take it.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";

/** How a body ends: there is none; after Content-Length bytes; when its source says so; never (both ways raw bytes: a tunnel). */
export type BodyFraming = "none" | "length" | "stream" | "tunnel";

/** Pieces are content, or chunked coding (RFC 9112 section 7.1) without extensions, last chunk and trailers included. */
export type BodyMode = "content" | "raw";

/**
 * What became of a piece: `taken`: the sink needs the bytes no more; `held`: it holds the lease, more may come; `full`: not
 * another piece before resumeBody(), and by then what is held of this one is given back.
 */
export type SendOutcome = "taken" | "held" | "full";

/** Read memory that a sink may hold beyond the call that delivered it. */
export interface BodyLease {
  /** Holds it once more; the returned function (always the same one) gives one hold back. */
  hold(): () => void;
}

/** The side of a stream that a body comes from. */
export interface BodySource {
  /** Whether pieces of the current message can be raw. */
  readonly offersRaw: boolean;
  /** Bytes of content delivered of the current message, without framing. */
  readonly bodyBytes: number;
  /** Stops delivery. */
  pauseBody(): void;
  /** Goes on with delivery; may deliver before it returns. */
  resumeBody(): void;
}

/** The side of a stream that a body goes to. */
export interface BodySink {
  /** Whether it writes raw pieces as they are. */
  readonly takesRaw: boolean;
  /** One piece: bytes[from, to). Without a lease the outcome is never `held`. */
  sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome;
  /** The body is complete; trailers as lines with CRLF ("" where there are none, and in raw mode). Ends a tunnel's direction. */
  endBody(trailers: string): void;
  /** Writes what was gathered. */
  flush(): "taken" | "full";
}

/** What an exchange asks about the connection a request came on. */
export interface DownstreamConnection {
  readonly scheme: "http" | "https";
  /** The peer's address, IPv4-mapped IPv6 as IPv4. */
  readonly remoteAddress: string;
  /** `address:port` of both ends, IPv6 in brackets. */
  readonly remote: string;
  readonly local: string;
  /** `address:port` of the socket's peer: another than `remote` where a trusted peer sent a PROXY header. */
  readonly peer: string;
  /** Undefined on plain TCP. */
  readonly tls: DownstreamTls | undefined;
}

/** What is known of a terminated TLS connection. */
export interface DownstreamTls {
  /** Lower case; undefined where the client sent none. */
  readonly serverName: string | undefined;
  /** As OpenSSL names them: `TLSv1.3`, `TLS_AES_128_GCM_SHA256`. */
  readonly version: string;
  readonly cipher: string;
  /** Key of the listener the handshake was made with. Requests for hosts of another one are misdirected (421). */
  readonly listenerKey: string;
  /** Of the termination the handshake was made with. Once that of the listener is another, requests are misdirected, too. */
  readonly sessionContext: string;
  readonly resumed: boolean;
  /** Undefined where the client showed none. */
  readonly clientCertificate: ClientCertificate | undefined;
}

/** The certificate a client proved to hold. */
export interface ClientCertificate {
  /** Whether it chains up to the authorities of the listener; false only where the listener lets in whatever is shown. */
  readonly verified: boolean;
  /** As RFC 2253 writes it. */
  readonly subject: string;
  readonly issuer: string;
  /** Hex, as OpenSSL prints it without colons. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly uriNames: readonly string[];
  readonly dnsNames: readonly string[];
  readonly notAfter: Date;
}

/** One request and its answer on a downstream connection. The answer is sent in order: interim*, head, body, end. */
export interface DownstreamStream extends BodySource, BodySink {
  readonly connection: DownstreamConnection;
  /** Nothing can be sent any more: the stream was reset, or its connection has failed. */
  readonly gone: boolean;
  /** Starts delivery of the request body (or, after a tunnel head, of the tunnel's bytes); may deliver before it returns. */
  takeBody(mode: BodyMode): void;
  /** Asks for onRequestTurn() at the end of this turn of reading; not true where there is no such turn. Absent: clients take nothing back. */
  awaitTurn?(): boolean;
  /** A 1xx head. Dropped where the client cannot read it. */
  sendInterim(head: ResponseHead): void;
  /**
   * The final head, or 101 with framing `tunnel` (whatever version: HTTP/2 writes 200 instead). `mode` tells how the body's pieces
   * will come.
   */
  sendHead(head: ResponseHead, framing: BodyFraming, mode: BodyMode): void;
  /** Takes the head of the answer back while not a byte of it is out; false where it is too late. */
  retractHead(): boolean;
  /** Cuts the answer so that the client sees it is not whole. No call into the receiver follows. */
  abort(): void;
}

/** What a downstream codec tells an exchange. */
export interface RequestReceiver {
  onRequestBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome;
  /** The request (or the client's half of a tunnel) is complete. */
  onRequestEnd(trailers: string): void;
  /** The codec ends a turn of reading: flush what was gathered for upstream. */
  onRequestTurn(): "taken" | "full";
  /** More of the answer may be sent after "full". */
  onDownstreamDrain(): void;
  /** Nothing can be read or sent any more. The exchange is over when this returns. */
  onDownstreamClosed(): void;
  /**
   * The request cannot go on (malformed, too slow): answered locally where that is still possible, else cut. `detail` tells the
   * access log what was wrong, where that is more than the reason.
   */
  onDownstreamFault(reason: FaultReason, detail?: string): void;
}

/** One try of a request on an upstream connection. */
export interface UpstreamStream extends BodySource, BodySink {
  /** The request head; pieces of the body will come in this mode. */
  sendHead(head: RequestHead, framing: BodyFraming, mode: BodyMode): void;
  /**
   * Gives the try up: nothing is called on the receiver any more. A connection to which nothing of it was written is kept, unless the
   * try is late: then a connection that is not up is not worth waiting for.
   */
  cancel(isLate?: boolean): void;
  /**
   * As cancel(), called from onAnswerHead: the answer is of no use. What comes of it is read and dropped where it is short, so that
   * the connection can be used again.
   */
  discard(): void;
}

/**
 * How far a failed try came. `unseen`: the endpoint says that it did nothing with the request (RFC 9113 section 8.7: GOAWAY with a
 * lower stream, REFUSED_STREAM), or it never left us; `silent`: no byte of an answer came, so it may have been seen; `begun`.
 */
export type TryProgress = "unseen" | "silent" | "begun";

/** What an upstream codec tells an exchange (or a mirror). */
export interface AnswerReceiver {
  /** A 1xx head other than 101. */
  onInterim(head: ResponseHead): void;
  /** The final head, or 101 with framing `tunnel`. Returns how the receiver wants the pieces; "raw" only if offersRaw. */
  onAnswerHead(head: ResponseHead, framing: BodyFraming): BodyMode;
  onAnswerBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome;
  /** The answer (or the upstream's half of a tunnel) is complete. */
  onAnswerEnd(trailers: string): void;
  /** The codec ends a turn of reading: flush what was gathered for the client. */
  onAnswerTurn(): "taken" | "full";
  /** More of the request may be sent after "full". */
  onUpstreamDrain(): void;
  onAnswerFailed(reason: FaultReason, progress: TryProgress): void;
}
