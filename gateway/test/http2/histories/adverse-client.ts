/** A client of HTTP/2 that asks for many things at once, reads as it pleases and leaves when it likes. */
import assert from "node:assert/strict";
import { below, pick } from "@sallyport/testkit/random";
import { Flag, FrameType, frameHeader, PREFACE, word } from "../../../src/http2/frames.ts";
import type { TurnedTime } from "../../retries/turned-time.ts";
import { type Fields, FramePeer, type PeerStream } from "./frame-peer.ts";
import { pattern, requestName } from "./truth.ts";
import type { Wire } from "./wire.ts";

/** One request and all that is known of its outcome. */
export interface Asked extends PeerStream {
  readonly target: string;
  readonly method: string;
  /** Bytes of its body, and how many are out; -1 where its end is. */
  readonly length: number;
  sent: number;
  readonly beganAt: number;
  /** When the last of the request, or window, was given. */
  readyAt: number;
  overAt: number;
  interims: number;
  status: number;
  fields: ReadonlyMap<string, string>;
  pieces: string[];
  trailers: Fields | undefined;
  /** `ended`: END_STREAM; `reset`: by the gateway; `left`: by the client; `lost`: with the connection. */
  end: "open" | "ended" | "reset" | "left" | "lost";
  code: number;
  /** Gives windows as fast as it reads. */
  readonly reads: "well" | "slowly" | "late";
}

/** What a request is to be. */
export interface Wish {
  readonly target: string;
  readonly method: string;
  readonly length: number;
  readonly reads: Asked["reads"];
}

const SMALL = [0, 1, 100] as const;
const LARGE = 1_000_000;

/** One connection. */
export class AdverseClient extends FramePeer<Asked> {
  readonly asked: Asked[] = [];
  /** The gateway takes no streams above this one. */
  lastTaken = Number.POSITIVE_INFINITY;
  readonly #random: () => number;
  readonly #time: TurnedTime;
  #nextId = 1;

  constructor(wire: Wire, world: { readonly random: () => number; readonly time: TurnedTime }, kind: "well" | "badly") {
    super(wire, "client");
    this.#random = world.random;
    this.#time = world.time;
    wire.send(PREFACE);
    // of streams that read badly nothing comes before they ask for it
    this.settings({
      window: kind === "well" ? LARGE : pick(this.#random, SMALL),
      table: below(this.#random, 4) === 0 ? pick(this.#random, [0, 100, 4096]) : undefined,
    });
    this.widen(undefined, 1_000_000_000);
  }

  /** Whether nothing is waited for any more. */
  get isOver(): boolean {
    return this.asked.every(({ end }) => end !== "open");
  }

  ask({ target, method, length, reads }: Wish): void {
    const id = this.#nextId;
    this.#nextId += 2;
    const { now } = this.#time;
    const asked: Asked = {
      id,
      target,
      method,
      length,
      reads,
      sent: length === 0 ? -1 : 0,
      beganAt: now,
      readyAt: now,
      overAt: Number.NaN,
      allowed: this.window,
      room: this.theirWindow,
      theirsEnded: false,
      interims: 0,
      status: 0,
      fields: new Map(),
      pieces: [],
      trailers: undefined,
      end: "open",
      code: -1,
    };
    this.asked.push(asked);
    this.streams.set(id, asked);
    const announced = length > 0 && this.#random() < 0.5 ? `content-length: ${length}\r\n` : "";
    const all = `x-body: ${target}\r\n${announced}`;
    const block = this.encoder.request({ method, scheme: "http", authority: "a.test", path: target }, all, "");
    this.frame(FrameType.HEADERS, Flag.END_HEADERS | (length === 0 ? Flag.END_STREAM : 0), id, block);
    this.#send(asked);
    if (reads !== "well") this.#read(asked);
  }

  /** Takes its word back. */
  leave(asked: Asked): void {
    if (asked.end !== "open") return;
    this.reset(asked, pick(this.#random, [0, 2, 5, 8, 8, 99]));
    this.#end(asked, "left");
  }

  /** Another window for all streams, in the middle of everything; what was little is never more than its due. */
  resize(): void {
    this.settings({ window: pick(this.#random, [0, 1, 1000, 65_535]) });
    this.#time.after(5 + below(this.#random, 50), () => {
      if (!this.gone) this.settings({ window: LARGE });
    });
  }

  /** Gives all windows there can be: from now on nobody but the gateway is waited for. */
  openUp(): void {
    for (const asked of this.streams.values()) if (!asked.theirsEnded) this.#widen(asked, LARGE);
  }

  onGone(): void {
    this.gone = true;
    for (const asked of this.asked) if (asked.end === "open") this.#end(asked, "lost");
    this.streams.clear();
  }

  override onGoaway(lastId: number): void {
    this.lastTaken = lastId;
    for (const asked of this.asked) if (asked.id > lastId && asked.end === "open") this.#end(asked, "lost");
  }

  protected onRoom(): void {
    for (const asked of this.streams.values()) this.#send(asked);
  }

  protected onHead(id: number, fields: Fields, endStream: boolean): void {
    const asked = this.streams.get(id);
    if (asked === undefined) return;
    const status = Number(fields[0]?.[0] === ":status" ? fields[0][1] : "0");
    if (asked.status === 0) {
      assert.ok(status >= 100 && status !== 101, `a head of status ${status}`);
      if (status < 200) asked.interims++;
      else {
        asked.status = status;
        asked.fields = new Map(fields);
      }
    } else {
      assert.ok(endStream, "a second head");
      asked.trailers = fields;
    }
    if (endStream) this.#end(asked, "ended");
  }

  protected onData(asked: Asked, text: string, endStream: boolean): void {
    assert.ok(asked.status > 0, "DATA before a head");
    asked.pieces.push(text);
    if (endStream) this.#end(asked, "ended");
    else if (asked.reads === "well" && asked.allowed < LARGE / 2) this.#widen(asked, LARGE);
  }

  protected onReset(asked: Asked, code: number): void {
    asked.code = code;
    this.#end(asked, "reset");
  }

  #end(asked: Asked, end: Asked["end"]): void {
    // an answer that is whole stays so, whatever comes of the request
    if (asked.end === "open") {
      asked.end = end;
      asked.overAt = this.#time.now;
    }
    if (end !== "ended") this.streams.delete(asked.id);
  }

  #widen(asked: Asked, count: number): void {
    asked.readyAt = this.#time.now;
    this.widen(asked, count);
  }

  #send(asked: Asked): void {
    if (asked.sent < 0 || this.gone || !this.streams.has(asked.id)) return;
    const most = this.#random() < 0.3 ? below(this.#random, 1000) : asked.length;
    const until = Math.min(asked.length, asked.sent + Math.min(most, this.roomOf(asked)));
    const ends = until === asked.length;
    const isHeld = until < Math.min(asked.length, asked.sent + most);
    asked.sent += this.sendData(asked, pattern(requestName(asked.target), asked.sent, until), ends);
    asked.readyAt = this.#time.now;
    if (ends) asked.sent = -1;
    else if (!isHeld) this.#time.after(1 + below(this.#random, 10), () => this.#send(asked));
  }

  /** Byte by byte, or nothing for a while and then all. */
  #read(asked: Asked): void {
    const isLate = asked.reads === "late";
    this.#time.after(isLate ? 50 + below(this.#random, 1500) : 1 + below(this.#random, 10), () => {
      if (asked.theirsEnded || this.streams.get(asked.id) !== asked) return;
      this.#widen(asked, isLate ? LARGE : pick(this.#random, [1, 1, 2, 100, 30_000]));
      if (!isLate) this.#read(asked);
    });
  }

  /** Things that harm nobody. */
  chat(): void {
    const noise = pick(this.#random, [
      frameHeader(8, FrameType.PING, 0, 0) + "12345678",
      frameHeader(5, FrameType.PRIORITY, 0, this.#nextId) + `${word(0)}\x10`,
      frameHeader(3, 99, 255, 0) + "abc",
    ] as const);
    this.wire.send(noise);
  }
}
