/**
 * Who speaks HTTP/2 with the gateway, on either side of it: sends whatever a test says, and holds the gateway to the rules: windows that
 * were given, settings that it has acknowledged, frames in places where they may be.
 */
import assert from "node:assert/strict";
import { Flag, frameHeader, FrameType, INITIAL_WINDOW, MAX_FRAME, PREFACE, word } from "../../../src/http2/frames.ts";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import { Setting } from "../../../src/http2/settings.ts";
import type { FarEnd, Wire } from "./wire.ts";

/** Fields of a head, or of trailers, in order. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** A stream as its peer sees it. */
export interface PeerStream {
  readonly id: number;
  /** What the gateway may send of it, and what we may. */
  allowed: number;
  room: number;
  /** The gateway has sent END_STREAM, or either has reset it. */
  theirsEnded: boolean;
}

/** What a SETTINGS frame changes once it is acknowledged. */
interface Change {
  readonly window: number | undefined;
  readonly streams: number | undefined;
  readonly table: number | undefined;
}

const { DATA, HEADERS, CONTINUATION, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE } = FrameType;

/** One end of a connection. */
export abstract class FramePeer<S extends PeerStream> implements FarEnd {
  readonly streams = new Map<number, S>();
  readonly wire: Wire;
  readonly encoder = new HpackEncoder();
  /** It answers neither PING nor SETTINGS. */
  isMute = false;
  gone = false;
  /** What the gateway may send of all streams, and what we may. */
  protected allowed = INITIAL_WINDOW;
  protected room = INITIAL_WINDOW;
  /** What we gave streams to begin with, acknowledged; and what we were given. */
  protected window = INITIAL_WINDOW;
  protected theirWindow = INITIAL_WINDOW;
  /** Acknowledged, too. */
  protected mostStreams = Number.POSITIVE_INFINITY;
  readonly #decoder = new HpackDecoder({ maxTableSize: 4096, classify: () => 0 });
  readonly #changes: Change[] = [];
  #table = 4096;
  /** The next block begins with the size of a table that had to shrink. */
  #mustShrink = false;
  #bytes = "";
  #prefaced: boolean;
  #block: { readonly id: number; readonly flags: number; text: string } | undefined = undefined;

  constructor(wire: Wire, role: "server" | "client") {
    this.wire = wire;
    wire.far = this;
    this.#prefaced = role === "client";
  }

  protected abstract onHead(id: number, fields: Fields, endStream: boolean): void;
  protected abstract onData(stream: S, text: string, endStream: boolean): void;
  protected abstract onReset(stream: S, code: number): void;
  protected abstract onRoom(): void;
  abstract onGone(): void;

  onGoaway(_lastId: number, _code: number): void {
    // who cares says so
  }

  frame(type: number, flags: number, stream: number, payload = ""): void {
    this.wire.send(frameHeader(payload.length, type, flags, stream) + payload);
  }

  /** Settings that have their effect on the gateway when it acknowledges them; `more` are further pairs. */
  settings(change: Partial<Change>, more: readonly (readonly [number, number])[] = []): void {
    const { window, streams, table } = change;
    const pairs = [
      [Setting.INITIAL_WINDOW_SIZE, window],
      [Setting.MAX_CONCURRENT_STREAMS, streams],
      [Setting.HEADER_TABLE_SIZE, table],
      ...more,
    ] as const;
    this.#changes.push({ window, streams, table });
    const texts = pairs.map(([id, value]) => (value === undefined ? "" : `\0${String.fromCharCode(id)}${word(value)}`));
    this.frame(SETTINGS, 0, 0, texts.join(""));
  }

  /** Lets the gateway send more; of all streams where there is none. */
  widen(stream: S | undefined, count: number): void {
    if (stream === undefined) this.allowed += count;
    else stream.allowed += count;
    this.frame(WINDOW_UPDATE, 0, stream?.id ?? 0, word(count));
  }

  reset(stream: S, code: number): void {
    this.frame(RST_STREAM, 0, stream.id, word(code));
    this.streams.delete(stream.id);
  }

  /** What may be sent of a stream now. */
  roomOf({ room }: S): number {
    return Math.max(0, Math.min(this.room, room));
  }

  /** Sends a text that there is room for. Returns its length. */
  protected sendData(stream: S, text: string, ends: boolean): number {
    this.room -= text.length;
    stream.room -= text.length;
    for (let at = 0; at < text.length || (ends && at === 0); at += MAX_FRAME) {
      const last = ends && at + MAX_FRAME >= text.length;
      this.frame(DATA, last ? Flag.END_STREAM : 0, stream.id, text.slice(at, at + MAX_FRAME));
    }
    return text.length;
  }

  onBytes(text: string): void {
    this.#bytes += text;
    if (!this.#prefaced) {
      if (this.#bytes.length < PREFACE.length) return;
      assert.equal(this.#bytes.slice(0, PREFACE.length), PREFACE);
      this.#bytes = this.#bytes.slice(PREFACE.length);
      this.#prefaced = true;
    }
    while (this.#bytes.length >= 9) {
      const header = Buffer.from(this.#bytes.slice(0, 9), "latin1");
      const length = header.readUIntBE(0, 3);
      assert.ok(length <= MAX_FRAME, `a frame of ${length} bytes`);
      if (this.#bytes.length < 9 + length) return;
      const payload = this.#bytes.slice(9, 9 + length);
      this.#bytes = this.#bytes.slice(9 + length);
      this.#onFrame(header.readUInt8(3), header.readUInt8(4), header.readUInt32BE(5), payload);
    }
  }

  #onFrame(type: number, flags: number, id: number, payload: string): void {
    assert.equal(this.#block === undefined, type !== CONTINUATION, "a header block that is cut by another frame");
    const bytes = Buffer.from(payload, "latin1");
    switch (type) {
      case DATA:
        return this.#onData(id, payload, (flags & Flag.END_STREAM) !== 0);
      case HEADERS:
        this.#block = { id, flags, text: "" };
        return this.#onFragment(flags, payload);
      case CONTINUATION:
        return this.#onFragment(flags, payload);
      case RST_STREAM:
        return this.#onReset(id, bytes.readUInt32BE(0));
      case SETTINGS:
        return (flags & Flag.ACK) !== 0 ? this.#onAcknowledged() : this.#onSettings(bytes);
      case PING:
        if ((flags & Flag.ACK) === 0 && !this.isMute) this.frame(PING, Flag.ACK, 0, payload);
        return undefined;
      case GOAWAY:
        return this.onGoaway(bytes.readUInt32BE(0), bytes.readUInt32BE(4));
      case WINDOW_UPDATE:
        return this.#onWindow(id, bytes.readUInt32BE(0));
      default:
        return assert.fail(`a frame of type ${type}`);
    }
  }

  #onData(id: number, text: string, endStream: boolean): void {
    this.allowed -= text.length;
    assert.ok(this.allowed >= 0 || text === "", "more DATA than the window of the connection");
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    assert.ok(!stream.theirsEnded, "DATA behind the end");
    stream.allowed -= text.length;
    assert.ok(stream.allowed >= 0 || text === "", "more DATA than the window of its stream");
    stream.theirsEnded = endStream;
    this.onData(stream, text, endStream);
  }

  #onFragment(flags: number, payload: string): void {
    const block = this.#block;
    assert.ok(block !== undefined);
    block.text += payload;
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#block = undefined;
    const bytes = Buffer.from(block.text, "latin1");
    if (this.#mustShrink) assert.equal((bytes[0] ?? 0) & 0xe0, 0x20, "a table that was to shrink is not said to");
    this.#mustShrink = false;
    const fields: [string, string][] = [];
    const onField = ({ name, value }: { name: string; value: string }): void => void fields.push([name, value]);
    assert.ok(this.#decoder.decode(bytes, 0, bytes.length, { onField }), "a header block that cannot be decoded");
    const endStream = (block.flags & Flag.END_STREAM) !== 0;
    const stream = this.streams.get(block.id);
    if (stream !== undefined) {
      assert.ok(!stream.theirsEnded, "HEADERS behind the end");
      stream.theirsEnded = endStream;
    }
    this.onHead(block.id, fields, endStream);
  }

  #onReset(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.theirsEnded = true;
    this.onReset(stream, code);
    this.streams.delete(id);
  }

  #onAcknowledged(): void {
    const change = this.#changes.shift();
    assert.ok(change !== undefined, "an acknowledgement of nothing");
    const { window = this.window, streams = this.mostStreams, table = 4096 } = change;
    for (const stream of this.streams.values()) stream.allowed += window - this.window;
    this.window = window;
    this.mostStreams = streams;
    if (change.table === undefined) return;
    if (table < this.#table) this.#mustShrink = true;
    this.#table = Math.min(4096, table);
  }

  #onSettings(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 6) {
      if (bytes.readUInt16BE(at) !== Setting.INITIAL_WINDOW_SIZE) continue;
      const size = bytes.readUInt32BE(at + 2);
      for (const stream of this.streams.values()) stream.room += size - this.theirWindow;
      this.theirWindow = size;
    }
    if (!this.isMute) this.frame(SETTINGS, Flag.ACK, 0);
    this.onRoom();
  }

  #onWindow(id: number, count: number): void {
    assert.ok(count > 0, "WINDOW_UPDATE of 0");
    if (id === 0) this.room += count;
    const stream = this.streams.get(id);
    if (stream !== undefined) stream.room += count;
    this.onRoom();
  }
}
