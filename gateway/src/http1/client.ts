/**
 * The client role of HTTP/1.1: one upstream connection, one exchange at a time. The connection is its own stream.
 *
 * It is used again only after an answer that was complete, well-framed and the last thing read, to a request that was
 * sent whole.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, OpenOptions, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type {
  AnswerReceiver,
  BodyFraming,
  BodyLease,
  BodyMode,
  SendOutcome,
  UpstreamStream,
} from "../exchange/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { DroppedAnswer, MOST_DROPPED } from "../exchange/dropped-answer.ts";
import type { RequestHead } from "../head/request-head.ts";
import { keyOfLines, toHandshakeLines } from "../head/websocket.ts";
import { Timed } from "../time/wheel.ts";
import { Inlet, type ByteReader } from "../wire/inlet.ts";
import { Outlet } from "../wire/outlet.ts";
import { describeTlsFailure, isTlsError } from "../wire/tls-failure.ts";
import {
  connectUpstream,
  type SettledSocket,
  type UpstreamSocket,
  type UpstreamSocketOwner,
} from "../wire/upstream-socket.ts";
import { AnswerReader } from "./client-answer.ts";
import { AnswerInput, type AnswerInputOwner } from "./client-input.ts";

/** What is offered in TLS handshakes (RFC 7301). */
const PROTOCOLS = ["http/1.1"];

/** What opening takes. */
export type Http1ClientOptions = Omit<OpenOptions, "protocol" | "http2" | "upgrades">;

/** Opens a connection. Requests may be handed over before it is up; with TLS they wait until the peer is verified. */
export function openHttp1(options: Http1ClientOptions, dependencies: UpstreamDependencies): UpstreamConnection {
  return new Http1Client(options, dependencies, undefined);
}

/** Speaks HTTP/1.1 on a socket that is up, where TLS has chosen it. */
export function adoptHttp1(
  options: Http1ClientOptions,
  dependencies: UpstreamDependencies,
  socket: SettledSocket,
): UpstreamConnection {
  const client = new Http1Client(options, dependencies, socket);
  client.onUp();
  return client;
}

class Http1Client
  extends Timed
  implements UpstreamConnection, UpstreamStream, ByteReader, AnswerInputOwner, UpstreamSocketOwner
{
  readonly endpoint: UpstreamEndpoint;
  readonly takesRaw = true;
  connected = false;
  readonly capacity = 1;
  readonly settled = true;
  readonly upgradable = true;
  failureDetail = "";
  readonly #dependencies: UpstreamDependencies;
  readonly #owner: ConnectionOwner;
  readonly #socket: UpstreamSocket["socket"];
  readonly #inlet: Inlet;
  readonly #input: AnswerInput;
  readonly #outlet: Outlet;
  #encodes = false;
  #requestEnded = true;
  /** How often the socket had been written to when the request began. */
  #writesBefore = 0;
  /** The upstream has ended its half of a tunnel. */
  #answerEnded = false;
  #closed = false;

  constructor(options: Http1ClientOptions, dependencies: UpstreamDependencies, settled: SettledSocket | undefined) {
    super();
    const { endpoint } = options;
    this.endpoint = endpoint;
    this.#owner = options.owner;
    this.#dependencies = dependencies;
    this.#inlet = settled?.inlet ?? new Inlet();
    this.#input = new AnswerInput(this, this.#inlet, AnswerReader.of(endpoint));
    this.#inlet.deliverTo(this);
    const { socket, ways } = settled ?? this.#connect(options);
    this.#socket = socket;
    this.#outlet = new Outlet(socket, ways, () => this.#onDrain());
    socket.on("close", () => this.#onClose());
    if (settled !== undefined) return;
    this.#outlet.hold();
    dependencies.clocks.coarse.arm(this, options.connectTimeout);
  }

  get offersRaw(): boolean {
    return this.#input.offersRaw;
  }

  get bodyBytes(): number {
    return this.#input.bodyBytes;
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    this.#input.receiver = receiver;
    return this;
  }

  close(): void {
    this.#shut();
  }

  sendHead(head: RequestHead, framing: BodyFraming, mode: BodyMode): void {
    this.#input.expect(head);
    this.#writesBefore = this.#outlet.writes;
    this.#encodes = framing === "stream" && mode === "content";
    this.#requestEnded = false;
    const handshake = toHandshakeLines(head);
    if (handshake !== "") this.#input.key = keyOfLines(handshake);
    this.#outlet.text(handshake === "" ? head.toHttp1() : withLines(head.toHttp1(), handshake));
  }

  sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    return this.#encodes ? this.#outlet.sendChunk(bytes, from, to) : this.#outlet.send(bytes, from, to, lease);
  }

  endBody(trailers: string): void {
    if (this.#encodes) this.#outlet.endChunks(trailers);
    this.#encodes = false;
    this.#requestEnded = true;
    if (this.#input.state !== "tunnel") return;
    this.#outlet.flush();
    this.#socket.end();
    // both halves have ended: the socket closes when the last byte is out, and nobody waits for that
    if (this.#answerEnded) this.#input.receiver = undefined;
  }

  flush(): "taken" | "full" {
    return this.#outlet.flush();
  }

  cancel(isLate = false): void {
    const isWritten = this.#outlet.writes !== this.#writesBefore || !this.#input.untouched;
    if (this.#closed || isWritten || (isLate && !this.connected)) return this.#shut();
    this.#outlet.discard();
    this.#input.expectNothing();
    this.#encodes = false;
    this.#requestEnded = true;
    this.#owner.onIdle(this);
  }

  discard(): void {
    if (!this.#requestEnded || !this.#input.endsWithin(MOST_DROPPED)) {
      this.#shut();
      return;
    }
    this.#input.receiver = new DroppedAnswer(this.#dependencies.clocks.coarse, () => this.#shut());
  }

  pauseBody(): void {
    this.#inlet.pause();
  }

  resumeBody(): void {
    this.#inlet.resume();
  }

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const input = this.#input;
    try {
      // bytes on an idle connection: whatever they are, they answer nothing
      if (input.receiver === undefined) this.#shut();
      else input.read(bytes, from, to, lease);
      if (input.receiver?.onAnswerTurn() === "full") this.#inlet.pause();
    } catch (error) {
      this.#failInside(error);
    }
  }

  onAnswerDone(trailers: string, clean: boolean): void {
    const receiver = this.#input.receiver;
    const reusable = clean && this.#requestEnded && !this.#closed;
    this.#input.receiver = undefined;
    this.#inlet.narrow();
    this.#inlet.resume();
    receiver?.onAnswerEnd(trailers);
    if (reusable) this.#owner.onIdle(this);
    else this.#shut();
  }

  onAnswerRefused(): void {
    this.#fail("upstream-protocol-error");
  }

  /** The connect timeout. */
  override onLate(): void {
    this.#dependencies.recorder.upstreamConnect("timeout");
    this.#guard(() => this.#fail("connect-timeout"));
  }

  onUp(): void {
    this.#guard(() => {
      const { clocks, recorder } = this.#dependencies;
      this.connected = true;
      clocks.coarse.disarm(this);
      this.#socket.on("end", () => this.#guard(() => this.#onEnd()));
      this.#socket.on("error", (error) => this.#guard(() => this.#onError(error)));
      recorder.upstreamConnect("success");
      this.#owner.onConnected(this);
      if (this.#outlet.release() === "taken") this.#input.receiver?.onUpstreamDrain();
    });
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#closed) return;
    this.failureDetail = detail;
    this.#dependencies.recorder.upstreamConnect("failure");
    this.#guard(() => this.#fail(reason));
  }

  #connect({ cluster, endpoint, tls, tcpKeepAlive }: Http1ClientOptions): UpstreamSocket {
    const { log, sockets } = this.#dependencies;
    const target = { cluster, endpoint, tls, tcpKeepAlive, applicationProtocols: PROTOCOLS, ways: sockets, log };
    return connectUpstream(target, this.#inlet, this);
  }

  #onDrain(): void {
    this.#guard(() => this.#input.receiver?.onUpstreamDrain());
  }

  #onClose(): void {
    this.#inlet.close();
    this.#guard(() => this.#fail("upstream-closed"));
  }

  /** FIN: the end of an answer that is framed so, of half a tunnel, or of the connection. */
  #onEnd(): void {
    const input = this.#input;
    const { receiver } = input;
    if (input.state === "until-close" && receiver !== undefined) {
      input.state = "idle";
      this.onAnswerDone("", false);
    } else if (input.state === "tunnel" && receiver !== undefined) {
      this.#answerEnded = true;
      if (this.#requestEnded) input.receiver = undefined;
      receiver.onAnswerEnd("");
    } else this.#fail("upstream-closed");
  }

  /** A reset; or a server that does not like the client's certificate, which TLS 1.3 tells behind the handshake. */
  #onError(error: Error): void {
    const isTls = isTlsError(error) && this.#input.untouched;
    if (isTls) this.failureDetail = describeTlsFailure(error).detail;
    this.#fail(isTls ? "upstream-tls-failure" : "upstream-reset");
  }

  /** The connection is of no use any more; whoever waits for an answer is told. */
  #fail(reason: FaultReason): void {
    const { receiver, untouched } = this.#input;
    const unheard = this.connected ? "silent" : "unseen";
    this.#shut(this.connected ? undefined : reason);
    receiver?.onAnswerFailed(reason, untouched ? unheard : "begun");
  }

  /** Closes at once. The owner is told first, so that a replay finds its place free. `failure`: it never came up. */
  #shut(failure?: FaultReason): void {
    this.#input.receiver = undefined;
    if (this.#closed) return;
    this.#closed = true;
    this.#dependencies.clocks.coarse.disarm(this);
    this.#outlet.discard();
    this.#socket.destroy();
    if (this.connected) this.#dependencies.recorder.upstreamClosed();
    this.#owner.onClosed(this, failure);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failInside(error);
    }
  }

  /** A bug of ours: logged once, the exchange answers 500, the connection goes. */
  #failInside(error: unknown): void {
    this.#dependencies.log.error("bug on an upstream connection", { error, endpoint: this.endpoint.label });
    this.#fail("internal-error");
  }
}

/** A head with more lines at its end. */
function withLines(head: string, lines: string): string {
  return `${head.slice(0, -2)}${lines}\r\n`;
}
