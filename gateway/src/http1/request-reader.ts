/** Reads request heads of one connection under the configuration in force; the same head twice is parsed once. */
import { RequestHead } from "../head/request-head.ts";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { CR, LF } from "./bytes.ts";
import { HeadParser } from "./head-parser.ts";
import type { ParsedHead } from "./parsed-head.ts";
import { RequestBuilder } from "./request-builder.ts";
import type { ServerPort } from "./server-port.ts";

/** Heads longer than this are not remembered. */
const MAX_REMEMBERED = 4096;

const parser = new HeadParser();
/** Stands where a connection has no request: nobody may use it, the next read makes a new one. */
const NO_REQUEST = new RequestHead();
NO_REQUEST.abandoned = true;

/** Keeps the last head and what it meant. */
export class RequestReader {
  head = NO_REQUEST;
  runtime: Runtime;
  bind: CompiledBind;
  readonly #port: ServerPort;
  readonly #connection: DownstreamConnection;
  #builder: RequestBuilder;
  /** head.text may be compared with what comes. */
  #remembered = false;

  constructor(port: ServerPort, connection: DownstreamConnection) {
    this.#port = port;
    this.#connection = connection;
    this.runtime = port.runtime();
    this.bind = port.bindOf(this.runtime);
    this.#builder = new RequestBuilder(connection, this.bind.http);
  }

  /** Why the last head was refused. */
  get refusal(): ParsedHead {
    return parser.head;
  }

  /** The offset behind the head in bytes[from, end), 0 where it is incomplete, -1 where it is refused. */
  read(bytes: Buffer, from: number, end: number): number {
    const runtime = this.#port.runtime();
    if (runtime !== this.runtime) this.#follow(runtime);
    const to = from + this.head.text.length;
    let text = "";
    if (this.#remembered && end - to >= 2 && bytes[to] === CR && bytes[to + 1] === LF) {
      text = toLatin1(bytes, from, to);
      if (text === this.head.text && !this.head.abandoned) return to + 2;
    }
    const behind = parser.request(bytes, from, end, this.bind.http);
    if (behind <= 0) return behind;
    const parsed = parser.head;
    if (behind !== to + 2 || text === "" || parsed.start !== from) text = toLatin1(bytes, parsed.start, parsed.end);
    if (this.head.abandoned) this.head = new RequestHead();
    this.#remembered = false;
    if (!this.#builder.build(this.head, parsed, bytes, text)) return -1;
    this.#remembered = text.length <= MAX_REMEMBERED;
    return behind;
  }

  /** Gives up what only makes the next request cheaper. */
  forget(): void {
    this.#remembered = false;
    this.head = NO_REQUEST;
  }

  #follow(runtime: Runtime): void {
    const bind = this.#port.bindOf(runtime);
    if (bind.http !== this.bind.http) {
      this.#builder = new RequestBuilder(this.#connection, bind.http);
      this.#remembered = false;
    }
    this.runtime = runtime;
    this.bind = bind;
  }
}
