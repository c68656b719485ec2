/** A connection of a backend that speaks HTTP/2 and does to each stream, and to the connection, what chance says. */
import assert from "node:assert/strict";
import { below, pick } from "@sallyport/testkit/random";
import { Flag, FrameType, word } from "../../../src/http2/frames.ts";
import type { TurnedTime } from "../../retries/turned-time.ts";
import { type Fields, FramePeer, type PeerStream } from "./frame-peer.ts";
import { MANNERS, PLAIN_MANNERS, type Step } from "./manners.ts";
import { MISCHIEFS } from "./mischief.ts";
import { answerName, pattern, requestName, type SeenTry, type Truth } from "./truth.ts";
import type { Wire } from "./wire.ts";

/** One stream. */
export interface BackendStream extends PeerStream {
  readonly seen: SeenTry;
  /** Bytes of the answer that went out. */
  sent: number;
  /** We have ended, or reset it. */
  ended: boolean;
  /** Something was said of an answer. */
  begun: boolean;
  steps: Step[];
}

/** How bad backends are. `plain`: not at all; `streams`: to single streams; `wild`: to connections as well. */
export type Malice = "plain" | "streams" | "wild";

/** What backends stand on. */
export interface BackendWorld {
  readonly random: () => number;
  readonly time: TurnedTime;
  readonly truth: Truth;
  readonly malice: Malice;
}

/** Targets with this in them are answered as they should be, whatever becomes of others. */
export const HONEST = "honest";
const FIRST_WINDOWS = [0, 1, 100, 65_535, 1_000_000] as const;

/** One connection. */
export class AdverseBackend extends FramePeer<BackendStream> {
  readonly random: () => number;
  readonly time: TurnedTime;
  readonly label: string;
  readonly #malice: Malice;
  readonly #truth: Truth;
  highest = 0;
  #left = Number.POSITIVE_INFINITY;

  constructor(wire: Wire, label: string, world: BackendWorld) {
    super(wire, "server");
    this.random = world.random;
    this.time = world.time;
    this.label = label;
    this.#malice = world.malice;
    this.#truth = world.truth;
    const wild = this.#malice !== "plain";
    this.settings({
      window: wild ? pick(this.random, FIRST_WINDOWS) : 65_535,
      streams: wild && below(this.random, 4) === 0 ? below(this.random, 4) : undefined,
      table: wild && below(this.random, 4) === 0 ? pick(this.random, [0, 100, 4096, 65_536]) : undefined,
    });
    this.#live();
  }

  /** Sends a head of an answer; `lines` besides what tells whose it is. */
  head(stream: BackendStream, status: number, lines = "", ends = false): void {
    const { seen } = stream;
    const block = this.encoder.response(status, status < 200 ? lines : `x-answer: ${seen.number}\r\n${lines}`);
    this.block(stream.id, block, ends);
    stream.begun = true;
    if (status >= 200) seen.status = status;
    if (ends) this.endWhole(stream);
  }

  /** Sends a header block, cut into CONTINUATION frames as chance says. */
  block(id: number, block: string, ends: boolean): void {
    const end = ends ? Flag.END_STREAM : 0;
    const cut = below(this.random, 4) === 0 ? below(this.random, block.length) : block.length;
    const whole = cut === block.length;
    this.frame(FrameType.HEADERS, end | (whole ? Flag.END_HEADERS : 0), id, block.slice(0, cut));
    if (!whole) this.frame(FrameType.CONTINUATION, Flag.END_HEADERS, id, block.slice(cut));
  }

  /** A step that sends so much of the body, as windows allow; the last of it with END_STREAM if it `ends`. */
  body(stream: BackendStream, until: number, ends = false): Step {
    return () => {
      const to = Math.min(until, stream.sent + this.roomOf(stream));
      const text = pattern(answerName(stream.seen), stream.sent, to);
      stream.sent += this.sendData(stream, text, ends && to === until);
      if (stream.sent < until) return "again";
      if (ends && stream.sent === until) this.endWhole(stream);
      return undefined;
    };
  }

  trailers(stream: BackendStream, lines = "x-sum: 1\r\n"): void {
    this.block(stream.id, this.encoder.trailers(lines), true);
    if (!stream.ended) stream.seen.trailers = true;
    this.endWhole(stream);
  }

  /** All that was said of the answer makes a whole one. */
  endWhole(stream: BackendStream): void {
    if (stream.ended) return;
    stream.ended = true;
    stream.seen.length = stream.sent;
    stream.seen.whole = true;
  }

  /** Resets it. Nothing was done with it if that is said before anything else. */
  abandon(stream: BackendStream, code: number): void {
    if (code === 7 && !stream.begun) stream.seen.disowned = true;
    stream.ended = true;
    this.reset(stream, code);
  }

  /** Says which streams it takes, and that it does nothing with the others. */
  goaway(lastId: number, code: number): void {
    for (const { id, seen } of this.streams.values()) if (id > lastId) seen.disowned = true;
    this.#left = Math.min(this.#left, lastId);
    this.frame(FrameType.GOAWAY, 0, 0, word(lastId) + word(code));
  }

  onGone(): void {
    this.gone = true;
    this.streams.clear();
  }

  protected onRoom(): void {
    // steps look for room by themselves
  }

  protected onHead(id: number, fields: Fields, endStream: boolean): void {
    const known = this.streams.get(id);
    if (known !== undefined) {
      assert.ok(endStream, "a second head");
      this.#complete(known);
    } else if (id > this.highest) this.#begin(id, fields, endStream);
  }

  protected onData(stream: BackendStream, text: string, endStream: boolean): void {
    const { seen } = stream;
    assert.equal(text, pattern(requestName(seen.target), seen.received, seen.received + text.length), "another's body");
    seen.received += text.length;
    if (text !== "" && !this.isMute && (this.#malice !== "wild" || this.random() < 0.9))
      this.widen(undefined, text.length);
    if (text !== "" && !this.isMute && !endStream) this.#refill(stream, text.length);
    if (endStream) this.#complete(stream);
  }

  protected onReset(stream: BackendStream): void {
    stream.ended = true;
  }

  #begin(id: number, fields: Fields, endStream: boolean): void {
    assert.ok(id % 2 === 1, "an even id");
    this.highest = id;
    const all = new Map(fields);
    const target = all.get(":path") ?? assert.fail("no :path");
    const method = all.get(":method") ?? assert.fail("no :method");
    assert.equal(all.get("x-body"), target, "fields of two requests");
    const seen = this.#truth.begin(this.label, method, target);
    seen.disowned = id > this.#left;
    const room = this.theirWindow;
    const stream: BackendStream = {
      id,
      seen,
      allowed: this.window,
      room,
      theirsEnded: endStream,
      sent: 0,
      ended: false,
      begun: false,
      steps: [],
    };
    this.streams.set(id, stream);
    const manners = target.includes(HONEST) || this.#malice === "plain" ? PLAIN_MANNERS : MANNERS;
    const manner = pick(this.random, manners);
    const early = manners === MANNERS && this.random() < 0.2;
    stream.steps = manner(this, stream);
    if (this.window < 65_535) this.#open(stream);
    if (endStream) seen.complete = true;
    if (early || endStream) this.#go(stream);
  }

  /** What was given too little at first gets more, sooner or later. */
  #open(stream: BackendStream): void {
    this.time.after(below(this.random, 30), () => {
      if (this.streams.get(stream.id) !== stream || this.isMute) return;
      this.widen(stream, pick(this.random, [1, 100, 5000, 65_535]));
      if (stream.allowed < 65_535 && !stream.theirsEnded) this.#open(stream);
    });
  }

  /** More than came: who gets byte for byte is never silent, and nobody waits for its end. */
  #refill(stream: BackendStream, count: number): void {
    const more = count + below(this.random, 1000);
    this.time.after(1 + below(this.random, 10), () => {
      if (this.streams.get(stream.id) === stream && !stream.theirsEnded) this.widen(stream, more);
    });
  }

  #complete(stream: BackendStream): void {
    stream.seen.complete = true;
    this.#go(stream);
  }

  /** Does what is left to do, one step after the other. */
  #go(stream: BackendStream): void {
    const { steps } = stream;
    const next = (): void => {
      if (this.gone || this.isMute || this.streams.get(stream.id) !== stream) return;
      const step = steps.shift();
      if (step === undefined) {
        if (stream.ended && stream.theirsEnded) this.streams.delete(stream.id);
        return;
      }
      if (step() === "again") steps.unshift(step);
      this.time.after(below(this.random, this.random() < 0.1 ? 60 : 4), next);
    };
    next();
  }

  #live(): void {
    if (this.#malice !== "wild") return;
    this.time.after(10 + below(this.random, 1500), () => {
      if (this.gone) return;
      if (!this.isMute) pick(this.random, MISCHIEFS)(this);
      this.#live();
    });
  }
}
