/** The server role of HTTP/2: one client connection, an exchange for each stream. Which configuration counts is asked when a stream begins. */
import { Exchange } from "../exchange/exchange.ts";
import type { Runtime } from "../router/contract.ts";
import { Price } from "./abuse-budget.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode, errorName } from "./frames.ts";
import { NOBODY } from "./hpack/decoder.ts";
import { RequestFields } from "./request-fields.ts";
import { ServerLife } from "./server-life.ts";
import { ServerStream } from "./server-stream.ts";

/** One client connection. */
export class Http2Server extends ServerLife {
  #fields: RequestFields | undefined = undefined;
  /** performance.now() of the first byte of a head that came in parts; 0: there is none. */
  #begunAt = 0;

  /** Whether a runtime is the one in force. */
  isInForce(runtime: Runtime): boolean {
    return runtime === this.port.runtime();
  }

  /** One for a stream. */
  takeExchange(): Exchange {
    const { dependencies } = this.port;
    return dependencies.pool.pop() ?? new Exchange(dependencies);
  }

  onBlockBegun(): void {
    this.#begunAt = this.port.dependencies.now();
  }

  protected onNewBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const id = facts.stream;
    if (id <= this.lastId || id % 2 === 0) {
      this.#onStrayBlock(id, bytes, from, to);
      return;
    }
    if (!this.takesStreams) {
      // RFC 9113 section 6.8: nothing is done with it, but the table is shared
      this.decode(bytes, from, to, NOBODY);
      return;
    }
    this.follow();
    const fields = (this.#fields ??= new RequestFields(this.about, this.config.bind.http));
    fields.begin();
    if (!this.decode(bytes, from, to, fields)) return;
    this.lastId = id;
    if (this.streams.size >= this.options.maxConcurrentStreams) {
      this.refuse(id, ErrorCode.REFUSED_STREAM, Price.refused);
      return;
    }
    this.#beginStream(facts, fields);
    this.#begunAt = 0;
    this.config.term?.count();
    this.dismiss();
  }

  /** RFC 9113 section 6.8: frames of streams that came too late are ignored; the client did not know. */
  protected override isIdle(id: number): boolean {
    return super.isIdle(id) && (this.takesStreams || id % 2 === 0);
  }

  protected onSettings(): void {
    // what it changes is done where it came
  }

  protected onOptions(): void {
    this.#fields = undefined;
  }

  protected override onFailed(code: ErrorCode, detail: string): void {
    super.onFailed(code, detail);
    if (code === ErrorCode.INTERNAL_ERROR) return;
    // as a request that could not be read: so it is seen in access log and metrics
    const stream = this.#openStream(this.lastId);
    stream.gone = true;
    stream.refuse("bad-request", `${errorName(code)}: ${detail}`);
  }

  #beginStream(facts: BlockFacts, fields: RequestFields): void {
    const stream = this.#openStream(facts.stream);
    const accepted = fields.finish(stream.head, facts.endStream);
    const malformed = fields.malformed || facts.selfDependent;
    if (!malformed) {
      this.streams.set(stream.id, stream);
      stream.remoteClosed = facts.endStream;
      stream.expected = facts.endStream ? -1 : fields.contentLength;
      if (accepted) stream.serve(fields.prioritised);
      else stream.refuse(fields.fault, fields.detail);
      return;
    }
    stream.gone = true;
    // nothing is sent on a stream that is gone: the exchange is a record alone
    stream.refuse("bad-request", fields.malformed ? fields.detail : "a stream that depends on itself");
    this.refuse(facts.stream, ErrorCode.PROTOCOL_ERROR, Price.reset);
  }

  #openStream(id: number): ServerStream {
    const startedAt = this.#begunAt === 0 ? this.port.dependencies.now() : this.#begunAt;
    const { runtime, bind, outdated } = this.config;
    return ServerStream.open({ server: this, id, runtime, bind, outdated, startedAt });
  }

  /** HEADERS for a stream that is closed, or that no client may open (RFC 9113 sections 5.1 and 5.1.1). */
  #onStrayBlock(id: number, bytes: Buffer, from: number, to: number): void {
    if (!this.decode(bytes, from, to, NOBODY)) return;
    const by = id % 2 === 0 ? undefined : this.closedStreams.by(id);
    if (by === "us") return;
    const code = by === "peer" ? ErrorCode.STREAM_CLOSED : ErrorCode.PROTOCOL_ERROR;
    this.fail(code, `HEADERS on stream ${id}, which is not to be opened`);
  }
}
