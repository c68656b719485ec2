/**
 * A copy of a request that goes to another cluster. It leaves at once, with the head as it is and the body as it streams,
 * and its answer is read and dropped. It never slows the request it copies: bytes it cannot send yet are kept up to a
 * bound, and a mirror that falls behind further is cut. One that answers slowly is not kept for longer than a limit, however
 * often it says something: nobody waits for it.
 */
import type { ConnectionRequest, UpstreamCluster, UpstreamConnection } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { AnswerReceiver, BodyMode, SendOutcome, UpstreamStream } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeStart } from "./exchange-state.ts";
import { Timed, type Wheel } from "../time/wheel.ts";

/** Bytes of a body that a mirror may be behind. */
const MAX_BEHIND = 262_144;
/** Milliseconds after which a mirror is given up that takes nothing of a body, or has not ended its answer behind it. */
const PATIENCE = 60_000;

/** Sends the copies that filters asked for. Clusters that do not exist get none. */
export function openMirrors(exchange: Exchange, start: ExchangeStart): readonly Mirror[] {
  const mirrors: Mirror[] = [];
  const { head, runtime } = start;
  for (const key of head.mirrors) {
    const cluster = runtime.cluster(key);
    if (cluster === undefined) continue;
    const mirror = new Mirror(cluster, head.copy(), exchange.dependencies.clocks.coarse);
    mirror.begin();
    mirrors.push(mirror);
  }
  return mirrors;
}

/** One copy. */
export class Mirror extends Timed implements ConnectionRequest, AnswerReceiver {
  /** A copy asks for no other protocol. */
  readonly upgrades = false;
  readonly #cluster: UpstreamCluster;
  readonly #head: RequestHead;
  readonly #wheel: Wheel;
  #upstream: UpstreamStream | undefined = undefined;
  #behind: Buffer[] = [];
  #behindBytes = 0;
  #full = false;
  /** The body is complete: its trailers; undefined before, and once they are sent. */
  #trailers: string | undefined = undefined;
  /** Nothing more of the body will come. */
  #isComplete = false;
  #over = false;

  constructor(cluster: UpstreamCluster, head: RequestHead, wheel: Wheel) {
    super();
    this.#cluster = cluster;
    this.#head = head;
    this.#wheel = wheel;
  }

  /** Asks for a connection. Pieces of the body come as content: what the connection will speak is not known yet. */
  begin(): void {
    this.#wheel.arm(this, PATIENCE);
    this.#cluster.acquire(this, false);
  }

  /** A piece of the body, copied where it cannot go out at once. */
  sendBody(bytes: Buffer, from: number, to: number): void {
    if (this.#over) return;
    if (this.#upstream !== undefined && !this.#full) {
      this.#wheel.arm(this, PATIENCE);
      this.#full = this.#upstream.sendBody(bytes, from, to, undefined) === "full";
      return;
    }
    this.#behindBytes += to - from;
    if (this.#behindBytes > MAX_BEHIND) this.cut();
    else this.#behind.push(Buffer.from(bytes.subarray(from, to)));
  }

  /** The body is complete. */
  endBody(trailers: string): void {
    if (this.#over) return;
    this.#wheel.arm(this, PATIENCE);
    this.#isComplete = true;
    this.#trailers = trailers;
    this.#catchUp();
  }

  /** The turn of reading has ended. */
  flush(): void {
    if (this.#upstream !== undefined && !this.#full) this.#full = this.#upstream.flush() === "full";
  }

  /** Gives the copy up. */
  cut(): void {
    if (this.#over) return;
    const upstream = this.#upstream;
    this.#close();
    if (upstream === undefined) this.#cluster.cancel(this);
    else upstream.cancel();
  }

  override onLate(): void {
    this.cut();
  }

  assign(connection: UpstreamConnection): void {
    if (this.#over) return;
    const upstream = connection.open(this);
    this.#upstream = upstream;
    upstream.sendHead(this.#head, this.#head.framing, "content");
    this.#catchUp();
    this.flush();
  }

  refuse(): void {
    this.#close();
  }

  onInterim(): void {
    // of no interest
  }

  onAnswerHead(): BodyMode {
    return "content";
  }

  onAnswerBody(): SendOutcome {
    return "taken";
  }

  onAnswerEnd(): void {
    this.#close();
  }

  onAnswerTurn(): "taken" | "full" {
    return "taken";
  }

  onUpstreamDrain(): void {
    this.#full = false;
    if (!this.#isComplete) this.#wheel.arm(this, PATIENCE);
    this.#catchUp();
    this.flush();
  }

  onAnswerFailed(): void {
    this.#close();
  }

  /** Sends what it is behind by. */
  #catchUp(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    while (!this.#full) {
      const piece = this.#behind.shift();
      if (piece === undefined) break;
      this.#behindBytes -= piece.length;
      this.#full = upstream.sendBody(piece, 0, piece.length, undefined) === "full";
    }
    if (this.#behind.length > 0 || this.#trailers === undefined) return;
    const trailers = this.#trailers;
    this.#trailers = undefined;
    upstream.endBody(trailers);
    upstream.flush();
  }

  #close(): void {
    this.#over = true;
    this.#upstream = undefined;
    this.#behind = [];
    this.#wheel.disarm(this);
  }
}
