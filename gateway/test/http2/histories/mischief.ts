/** What backends do to whole connections, right or wrong. */
import { below, pick } from "@sallyport/testkit/random";
import { Flag, FrameType, MAX_WINDOW, word } from "../../../src/http2/frames.ts";
import type { AdverseBackend } from "./adverse-backend.ts";

type Mischief = (backend: AdverseBackend) => void;

/** An id among those of streams, below, above, or of none. */
function idOf({ random, highest }: AdverseBackend): number {
  return Math.max(0, pick(random, [0, highest - 4, highest - 2, highest, highest + 2, 0x7fff_ffff]));
}

/** A frame of a stream that is closed or idle, or that can be none. */
const stray =
  (type: number, flags: number, payload: string): Mischief =>
  (b) => {
    const id = Math.max(1, pick(b.random, [b.highest, 1, b.highest + 200, b.highest + 1, 2]));
    // what is said on one that is open, or whose request is on its way, would be its answer
    const isOnItsWay = id % 2 === 1 && id > b.highest && id < b.highest + 200;
    if (!b.streams.has(id) && !isOnItsWay) b.frame(type, flags, id, payload);
  };

const goaway: Mischief = (b) => b.goaway(idOf(b), pick(b.random, [0, 0, 2, 11]));
const leave: Mischief = (b) => {
  b.goaway(0x7fff_ffff, 0);
  b.time.after(20, () => b.goaway(b.highest, 0));
};
const leaveTwice: Mischief = (b) => {
  goaway(b);
  b.time.after(below(b.random, 20), () => goaway(b));
};
const shrink: Mischief = (b) => {
  b.settings({ window: pick(b.random, [0, 1, 1000]) });
  b.time.after(10 + below(b.random, 50), () => b.settings({ window: pick(b.random, [65_535, 1_000_000]) }));
};
const stopStreams: Mischief = (b) => {
  b.settings({ streams: below(b.random, 2) });
  if (b.random() < 0.7)
    b.time.after(10 + below(b.random, 100), () => b.settings({ streams: 1 + below(b.random, 100) }));
};
const table: Mischief = (b) => b.settings({ table: pick(b.random, [0, 50, 4096, 1_000_000]) });
const frameSize: Mischief = (b) => b.settings({}, [[5, pick<number>(b.random, [16_384, 20_000, 0xff_ffff])]]);
const wrongSettings: Mischief = (b) =>
  b.settings({}, [
    pick<readonly [number, number]>(b.random, [
      [5, 100],
      [4, MAX_WINDOW + 1],
      [2, 1],
      [2, 7],
      [8, 2],
      [99, 1],
    ]),
  ]);
const pings: Mischief = (b) => {
  for (let n = 0; n < 500; n++) b.frame(FrameType.PING, 0, 0, "12345678");
};
const manySettings: Mischief = (b) => {
  for (let n = 0; n < 50; n++) b.settings({});
};
const cutBlock: Mischief = (b) => {
  b.frame(FrameType.HEADERS, 0, Math.max(1, b.highest), b.encoder.response(200, "x-a: 1\r\n").slice(0, 3));
  if (b.random() < 0.5) b.frame(FrameType.PING, 0, 0, "12345678");
};
const cutFrame: Mischief = (b) => {
  b.wire.send("\0\0\x08\x06\0\0\0\0\0xxxxxxxx".slice(0, below(b.random, 17)));
  b.wire.end(b.random() < 0.5 ? "fin" : "reset");
};

/** Each as likely as the others. */
export const MISCHIEFS: readonly [Mischief, ...Mischief[]] = [
  goaway,
  goaway,
  leave,
  leaveTwice,
  shrink,
  shrink,
  stopStreams,
  stopStreams,
  table,
  frameSize,
  wrongSettings,
  pings,
  manySettings,
  cutBlock,
  cutFrame,
  (b) => b.widen(undefined, 0),
  (b) => b.widen(undefined, MAX_WINDOW),
  (b) => b.widen(undefined, 1_000_000),
  stray(FrameType.DATA, 0, "stray"),
  stray(FrameType.DATA, Flag.END_STREAM, ""),
  stray(FrameType.HEADERS, Flag.END_HEADERS, "\x88"),
  stray(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, "\x88"),
  stray(FrameType.RST_STREAM, 0, word(8)),
  stray(FrameType.WINDOW_UPDATE, 0, word(100)),
  stray(FrameType.CONTINUATION, Flag.END_HEADERS, "\x88"),
  stray(FrameType.PRIORITY, 0, "\0\0\0\0\0"),
  stray(FrameType.PUSH_PROMISE, Flag.END_HEADERS, word(2) + "\x82"),
  stray(77, 0, "who knows"),
  (b) => b.frame(FrameType.HEADERS, Flag.END_HEADERS, Math.max(1, b.highest), "\xff\xff\xff\xff\xff\xff\xff"),
  (b) => b.wire.send("HTTP/1.1 400 Bad Request\r\n\r\n"),
  (b) => b.wire.send("\xff\xff\xff\0\0\0\0\0\x01"),
  (b) => b.wire.end("fin"),
  (b) => b.wire.end("reset"),
  (b) => void (b.isMute = true),
  (b) => void (b.wire.isClogged = true),
];
