/** What backends do to single streams, right or wrong: each a list of steps, with time between them. */
import { below, pick } from "@sallyport/testkit/random";
import { Flag, FrameType, MAX_WINDOW, word } from "../../../src/http2/frames.ts";
import type { AdverseBackend, BackendStream } from "./adverse-backend.ts";
import { answerName, pattern } from "./truth.ts";

/** One step; `again`: not done yet. */
export type Step = () => "again" | undefined | void;
type Manner = (backend: AdverseBackend, stream: BackendStream) => Step[];

const SIZES = [0, 1, 50, 3000, 20_000, 150_000] as const;

function sizeOf({ random }: AdverseBackend): number {
  return pick(random, SIZES);
}

function codeOf({ random }: AdverseBackend): number {
  return random() < 0.3 ? 7 : below(random, 16);
}

const plain: Manner = (b, s) => {
  const size = sizeOf(b);
  return [
    () => b.head(s, 200, `content-length: ${size}\r\n`, size === 0),
    ...(size === 0 ? [] : [b.body(s, size, true)]),
  ];
};
const unannounced: Manner = (b, s) => [() => b.head(s, 200), b.body(s, sizeOf(b), true)];
const inParts: Manner = (b, s) => {
  const size = 1 + sizeOf(b);
  return [() => b.head(s, 200), b.body(s, size >> 1), b.body(s, size, true)];
};
const trailers: Manner = (b, s) => [() => b.head(s, 200), b.body(s, sizeOf(b)), () => b.trailers(s)];
const hints: Manner = (b, s) => [
  ...Array.from({ length: 1 + below(b.random, 16) }, () => () => b.head(s, 103, "link: </x>\r\n")),
  ...plain(b, s),
];
const padded: Manner = (b, s) => [
  () => b.head(s, 200),
  () => {
    s.room -= 6;
    b.frame(FrameType.DATA, Flag.PADDED, s.id, "\x05\0\0\0\0\0");
  },
  b.body(s, sizeOf(b), true),
];

/** What is as it should be. */
export const PLAIN_MANNERS = [plain, unannounced, inParts, trailers, hints] as const;

const cut =
  (...before: readonly ("interim" | "head" | "half")[]): Manner =>
  (b, s) => [
    ...before.map((what): Step => {
      if (what === "interim") return () => b.head(s, 103);
      return what === "head" ? () => b.head(s, 200) : b.body(s, 1 + below(b.random, 30_000));
    }),
    () => b.abandon(s, codeOf(b)),
  ];

/** Ends behind a length that does not fit. */
const ends =
  (length: number, said: number): Manner =>
  (b, s) => [
    () => b.head(s, 200, `content-length: ${said}\r\n`),
    b.body(s, length),
    () => {
      s.ended = true;
      b.frame(FrameType.DATA, Flag.END_STREAM, s.id);
    },
  ];

const block =
  (lines: readonly string[], ended = false): Manner =>
  (b, s) => [
    () => {
      s.begun = true;
      s.ended = ended;
      b.block(s.id, lines.map(toLiteral).join(""), ended);
    },
  ];

/** A field that no table knows, as it is: RFC 7541 section 6.2.2. */
function toLiteral(line: string): string {
  const at = line.indexOf(": ");
  const [name, value] = [line.slice(0, at), line.slice(at + 2)];
  return `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
}

/** Does something behind the whole answer. */
const behind =
  (what: (b: AdverseBackend, s: BackendStream) => void): Manner =>
  (b, s) => [...plain(b, s), () => what(b, s)];

/** All of it is there but the end, and a reset without an error comes in its place. */
const endedByReset: Manner = (b, s) => {
  const size = 1 + sizeOf(b);
  return [
    () => b.head(s, 200, `content-length: ${size}\r\n`),
    b.body(s, size),
    () => {
      b.endWhole(s);
      b.reset(s, 0);
    },
  ];
};

const floods: Manner = (b, s) => [
  () => b.head(s, 200),
  () => {
    for (let n = 0; n < 200; n++) b.frame(FrameType.DATA, 0, s.id);
  },
  b.body(s, sizeOf(b), true),
];
/** More than it may: the window is of no account. */
const overflows: Manner = (b, s) => [
  () => b.head(s, 200),
  () => {
    s.ended = true;
    const text = pattern(answerName(s.seen), 0, 20 * 16_384);
    for (let n = 0; n < 20; n++) b.frame(FrameType.DATA, 0, s.id, text.slice(n * 16_384, (n + 1) * 16_384));
  },
];
const widens =
  (count: number): Manner =>
  (b, s) => [() => b.widen(s, count), ...plain(b, s)];

/** Everything. */
export const MANNERS: readonly [Manner, ...Manner[]] = [
  ...PLAIN_MANNERS,
  ...PLAIN_MANNERS,
  padded,
  (b, s) => [() => b.head(s, 503, "", true)],
  (b, s) => [() => b.head(s, 503), b.body(s, sizeOf(b), true)],
  () => [],
  (b, s) => [() => b.head(s, 200)],
  (b, s) => [() => b.head(s, 200), b.body(s, sizeOf(b))],
  cut(),
  cut(),
  cut("interim"),
  cut("head"),
  cut("head", "half"),
  cut("interim", "head", "half"),
  ends(10, 11),
  ends(0, 5),
  ends(3000, 2999),
  endedByReset,
  (b, s) => [() => b.head(s, 200, "content-length: 9\r\n", true), () => void (s.seen.whole = false)],
  (b, s) => Array.from({ length: 20 }, () => () => b.head(s, 103)),
  (b, s) => [() => b.head(s, 101)],
  (b, s) => [() => b.head(s, 103, "", true), () => void (s.seen.whole = false)],
  block(["x-a: 1"]),
  block(["x-a: 1"], true),
  block([":status: abc"]),
  block([":status: 200", ":status: 200"]),
  block(["x-a: 1", ":status: 200"]),
  block([":status: 200", "X-Upper: 1"]),
  block([":status: 200", "connection: close"]),
  block([":status: 200", "content-length: 1", "content-length: 2"]),
  block([":status: 200", ":path: /x"]),
  block([":status: 200", "x-a: b\r\nc: d"]),
  (b, s) => [() => b.frame(FrameType.DATA, 0, s.id, "no head")],
  (b, s) => [() => b.frame(FrameType.DATA, Flag.END_STREAM, s.id)],
  (b, s) => [() => b.head(s, 200), () => b.head(s, 200)],
  (b, s) => [() => b.head(s, 200), () => b.block(s.id, b.encoder.trailers("x-sum: 1\r\n"), false)],
  behind((b, s) => b.trailers(s)),
  behind((b, s) => b.frame(FrameType.RST_STREAM, 0, s.id, word(codeOf(b)))),
  behind((b, s) => b.widen(s, 1)),
  floods,
  overflows,
  widens(0),
  widens(MAX_WINDOW),
  (b, s) => [() => b.frame(FrameType.PRIORITY, 0, s.id, `${word(s.id)}\0`), ...plain(b, s)],
];
