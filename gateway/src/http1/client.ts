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
import { UpstreamLife, type LivingConnection } from "../exchange/upstream-life.ts";
import type { RequestHead } from "../head/request-head.ts";
import { keyOfLines, toHandshakeLines } from "../head/websocket.ts";
import { Inlet, type ByteReader } from "../wire/inlet.ts";
import { Outlet } from "../wire/outlet.ts";
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

class Http1Client implements LivingConnection, UpstreamStream, ByteReader, AnswerInputOwner, UpstreamSocketOwner {
  readonly endpoint: UpstreamEndpoint;
  readonly takesRaw = true;
  readonly capacity = 1;
  readonly settled = true;
  readonly upgradable = true;
  readonly #dependencies: UpstreamDependencies;
  readonly #owner: ConnectionOwner;
  readonly #life: UpstreamLife;
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

  constructor(options: Http1ClientOptions, dependencies: UpstreamDependencies, settled: SettledSocket | undefined) {
    const { endpoint } = options;
    this.endpoint = endpoint;
    this.#owner = options.owner;
    this.#dependencies = dependencies;
    this.#life = new UpstreamLife(this, options, dependencies);
    this.#inlet = settled?.inlet ?? new Inlet();
    this.#input = new AnswerInput(this, this.#inlet, AnswerReader.of(endpoint));
    this.#inlet.deliverTo(this);
    const { socket, ways } = settled ?? this.#connect(options);
    this.#socket = socket;
    this.#outlet = new Outlet(socket, ways, () => this.#onDrain());
    socket.on("close", () => this.#onClose());
    if (settled !== undefined) return;
    this.#outlet.hold();
    this.#life.awaitConnect();
  }

  get connected(): boolean {
    return this.#life.connected;
  }

  get failureDetail(): string {
    return this.#life.failureDetail;
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
    if (this.#life.closed || isWritten || (isLate && !this.connected)) return this.#shut();
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
      this.#life.onBug(error);
    }
  }

  onAnswerDone(trailers: string, clean: boolean): void {
    const receiver = this.#input.receiver;
    const reusable = clean && this.#requestEnded && !this.#life.closed;
    this.#input.receiver = undefined;
    this.#inlet.narrow();
    this.#inlet.resume();
    receiver?.onAnswerEnd(trailers);
    if (reusable) this.#owner.onIdle(this);
    else this.#shut();
  }

  onAnswerRefused(): void {
    this.lose("upstream-protocol-error");
  }

  failInside(): void {
    this.lose("internal-error");
  }

  onUp(): void {
    this.#life.guard(() => {
      this.#socket.on("end", () => this.#life.guard(() => this.#onEnd()));
      this.#socket.on("error", (error) =>
        this.#life.guard(() => this.lose(this.#life.reasonOf(error, this.#input.untouched))),
      );
      this.#life.up();
      if (this.#outlet.release() === "taken") this.#input.receiver?.onUpstreamDrain();
    });
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#life.closed) return;
    this.#life.failed(detail);
    this.#life.guard(() => this.lose(reason));
  }

  #connect({ cluster, endpoint, tls, tcpKeepAlive }: Http1ClientOptions): UpstreamSocket {
    const { log, sockets } = this.#dependencies;
    const target = { cluster, endpoint, tls, tcpKeepAlive, applicationProtocols: PROTOCOLS, ways: sockets, log };
    return connectUpstream(target, this.#inlet, this);
  }

  #onDrain(): void {
    this.#life.guard(() => this.#input.receiver?.onUpstreamDrain());
  }

  #onClose(): void {
    this.#inlet.close();
    this.#life.guard(() => this.lose("upstream-closed"));
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
    } else this.lose("upstream-closed");
  }

  /** The connection is of no use any more; whoever waits for an answer is told. */
  lose(reason: FaultReason): void {
    const { receiver, untouched } = this.#input;
    const unheard = this.connected ? "silent" : "unseen";
    this.#shut(this.connected ? undefined : reason);
    receiver?.onAnswerFailed(reason, untouched ? unheard : "begun");
  }

  /** Closes at once. The owner is told first, so that a replay finds its place free. `failure`: it never came up. */
  #shut(failure?: FaultReason): void {
    this.#input.receiver = undefined;
    if (this.#life.closed) return;
    this.#outlet.discard();
    this.#socket.destroy();
    this.#life.close(failure);
  }
}

/** A head with more lines at its end. */
function withLines(head: string, lines: string): string {
  return `${head.slice(0, -2)}${lines}\r\n`;
}
