/** The stream of one proxy: hello, then changes and answers to them. Whatever it says is hostile; it costs no more than its limits. */
import { clearTimeout, setTimeout } from "node:timers";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Hello, Place, ProxyMessage } from "@sallyport/model/distribution";
import { decodeProxyMessage, encodeMessage } from "@sallyport/model/message";
import { assertNever, type Result } from "@sallyport/model/result";
import { ProxyState, type Parts } from "./proxy-state.ts";

/** A call as it is here: messages are bytes on both sides. */
export type ConfigureCall = ServerDuplexStream<Uint8Array, Uint8Array>;

/** Where nodes are. */
export interface NodePlaces {
  /** What a proxy on this node is told; the same object until that is something else. */
  placeOf(node: string | undefined): Place;
  /** `listener` is called after places changed. Returns what stops it. */
  onChange(listener: () => void): () => void;
}

/** Times in milliseconds, and what all streams of one account share. */
export interface StreamLimits {
  /** Until the hello. */
  readonly hello: number;
  /** Without progress while an answer is due. */
  readonly answer: number;
  /** Resources that proxies say they hold, all together, until they have taken their first change. */
  readonly claims: number;
}

/** What is told of proxies. */
export interface DistributionLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What a stream stands on. */
export interface StreamOptions {
  /** When the certificate of the proxy ends, in milliseconds since 1970: the stream ends with it. */
  readonly expiresAt: number;
  readonly limits: StreamLimits;
  readonly log: DistributionLog;
  readonly places: NodePlaces | undefined;
  /** What of its account's share it takes by what it says it holds; false: there is not so much left. */
  readonly claims: { take(count: number): boolean; give(count: number): void };
  /** Whether its account may have a message of so many bytes read now: that costs everybody's time. */
  readonly mayRead: (bytes: number) => boolean;
  /** May this account have that group? Asked again before each change: a Gateway may have got another class, and so other proxies. */
  readonly allow: (group: string) => Result<undefined, string>;
  /** Called with the hello; returns what is called at the end. */
  readonly join: (group: string, stream: ProxyStream) => () => void;
  /** The proxy answered. */
  readonly onAnswer: () => void;
}

/** Why a stream ends before the proxy wants it to. */
interface Ending {
  readonly code: status;
  readonly details: string;
}

/** A timer may not be longer (setTimeout). */
const LONGEST_TIMER = 0x7fff_ffff;
const LONGEST_NAME = 253;
/** Resources a proxy may say it holds. */
const MOST_HELD = 200_000;

/** One proxy's stream. */
export class ProxyStream {
  readonly #call: ConfigureCall;
  readonly #options: StreamOptions;
  readonly #cleanups: (() => void)[] = [];
  #state: ProxyState | undefined;
  #hello: Hello | undefined;
  #parts: Parts | undefined;
  #isWriting = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;
  /** Resources it claims to hold, until it has taken a change. */
  #claimed = 0;
  /** Sent before any change, and again when it changes. */
  #place: Place | undefined;

  constructor(call: ConfigureCall, options: StreamOptions) {
    this.#call = call;
    this.#options = options;
    call.on("data", (bytes: Uint8Array) => this.#onMessage(bytes));
    call.on("end", () => this.end({ code: status.OK, details: "" }));
    call.on("cancelled", () => this.#release());
    call.on("close", () => this.#release());
    this.#arm(options.limits.hello, "no hello came in time");
    this.#endWithCertificate(options.expiresAt);
  }

  /** Of the proxy; its hello has come before anybody asks. */
  get state(): ProxyState {
    this.#state ??= new ProxyState(new Map());
    return this.#state;
  }

  /** Sends what is to be sent now. */
  advance(): void {
    if (this.#isWriting || this.#isEnded || this.#state === undefined) return;
    this.#parts ??= this.#begin(this.#state);
    const part = this.#parts?.next();
    if (part === undefined) return;
    // Where all of it is on its way, its answer is waited for, and nothing else is sent until then.
    if (part.done === true) this.#parts = undefined;
    else this.#write(part.value);
  }

  /** Ends the stream, from our side. */
  end({ code, details }: Ending): void {
    if (this.#isEnded) return;
    this.#release();
    if (code === status.OK) this.#call.end();
    else this.#call.emit("error", { code, details });
  }

  /** The next change, if there is one and the group is still its own. */
  #begin(state: ProxyState): Parts | undefined {
    const parts = state.next();
    if (parts === undefined || this.#hello === undefined) return undefined;
    const allowed = this.#options.allow(this.#hello.group);
    if (allowed.ok) return parts;
    this.end({ code: status.PERMISSION_DENIED, details: allowed.error });
    return undefined;
  }

  #write(bytes: Uint8Array): void {
    this.#isWriting = true;
    this.#arm(this.#options.limits.answer, "the proxy does not read, or does not answer");
    this.#call.write(bytes, () => {
      this.#isWriting = false;
      this.advance();
    });
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    if (!this.#options.mayRead(bytes.length))
      return this.end({ code: status.RESOURCE_EXHAUSTED, details: "the proxies of this account say too much; wait" });
    const message = decodeProxyMessage(bytes);
    if (!message.ok) return this.#refuse(message.error);
    this.#take(message.value);
  }

  #take(message: ProxyMessage): void {
    switch (message.kind) {
      case "hello":
        return this.#onHello(message);
      case "ack":
        return this.#onAnswer(message.nonce, undefined);
      case "nack":
        return this.#onAnswer(message.nonce, message.problems);
      default:
        return assertNever(message);
    }
  }

  #onHello(hello: Hello): void {
    if (this.#hello !== undefined) return this.#refuse("a second hello on one stream");
    const held = Object.entries(hello.resources);
    if (held.length > MOST_HELD) return this.#refuse(`more than ${MOST_HELD} resources are named`);
    if (held.some(([, version]) => typeof version !== "string")) return this.#refuse("a version is no text");
    if ([hello.group, hello.proxy, hello.node ?? "", hello.version].some((name) => name.length > LONGEST_NAME * 2))
      return this.#refuse("a name is too long");
    const allowed = this.#options.allow(hello.group);
    if (!allowed.ok) return this.end({ code: status.PERMISSION_DENIED, details: allowed.error });
    if (!this.#options.claims.take(held.length))
      return this.end({
        code: status.RESOURCE_EXHAUSTED,
        details: "the proxies of this account say they hold too much, all together; wait until others have connected",
      });
    this.#claimed = held.length;
    clearTimeout(this.#timer);
    this.#hello = { ...hello, resources: {} };
    this.#state = new ProxyState(new Map(held));
    this.#followPlace(hello.node);
    this.#options.log.info("proxy connected", { ...this.#names(), holds: held.length });
    this.#cleanups.push(this.#options.join(hello.group, this));
  }

  #onAnswer(nonce: number, problems: readonly string[] | undefined): void {
    if (!this.#isAllSent() || this.#state?.answer(nonce, problems) !== true)
      return this.#refuse("an answer to nothing that was asked");
    clearTimeout(this.#timer);
    if (problems === undefined) this.#unclaim();
    else {
      this.#options.log.warn("a proxy cannot take its configuration and serves on with the last one", {
        ...this.#names(),
        problems: this.#state.reasons,
      });
    }
    this.#options.onAnswer();
    this.advance();
  }

  /** The answer may be here before the last part is known to be written. */
  #isAllSent(): boolean {
    if (this.#parts?.next().done === false) return false;
    this.#parts = undefined;
    return true;
  }

  #followPlace(node: string | undefined): void {
    const { places } = this.#options;
    if (places === undefined) return this.#tellPlace({ kind: "place" });
    this.#tellPlace(places.placeOf(node));
    this.#cleanups.push(
      places.onChange(() => {
        const place = places.placeOf(node);
        if (place !== this.#place) this.#tellPlace(place);
      }),
    );
  }

  /** Small, and seldom: it does not wait for its turn. A proxy that takes none of them is cut by the change it does not take. */
  #tellPlace(place: Place): void {
    this.#place = place;
    this.#call.write(encodeMessage(place));
  }

  /** Connections outlive certificates: without this a key that was stolen would be good for as long as nobody cuts the stream. */
  #endWithCertificate(expiresAt: number): void {
    const timer = setTimeout(
      () =>
        this.end({
          code: status.UNAUTHENTICATED,
          details: `the client certificate expired at ${new Date(expiresAt).toISOString()}; call Certify for a new one`,
        }),
      Math.min(LONGEST_TIMER, Math.max(0, expiresAt - Date.now())),
    );
    timer.unref();
    this.#cleanups.push(() => clearTimeout(timer));
  }

  #unclaim(): void {
    this.#options.claims.give(this.#claimed);
    this.#claimed = 0;
  }

  #names(): Readonly<Record<string, unknown>> {
    const { group, proxy, version } = this.#hello ?? {};
    return { group, proxy, version, peer: this.#call.getPeer() };
  }

  #refuse(details: string): void {
    this.#options.log.warn("a proxy says what no proxy of ours would", { ...this.#names(), details });
    this.end({ code: status.INVALID_ARGUMENT, details });
  }

  #arm(milliseconds: number, details: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#options.log.warn("a proxy is cut off", { ...this.#names(), details });
      this.end({ code: status.DEADLINE_EXCEEDED, details });
    }, milliseconds);
    this.#timer.unref();
  }

  #release(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#unclaim();
    if (this.#hello !== undefined) this.#options.log.info("proxy disconnected", this.#names());
    for (const cleanup of this.#cleanups) cleanup();
  }
}
