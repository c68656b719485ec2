/** The first bytes of a client of HTTP/2 written by hand, and what comes back, for tests that cut them anywhere. */
import { PREFACE } from "../../src/http2/frames.ts";

const SETTINGS = 4;
const HEADERS = 1;
const GOAWAY = 7;
const END_STREAM = 1;
const END_HEADERS = 4;

/** Preface, SETTINGS and a request for `/` of the host `a.test`, in static entries of HPACK and one literal (RFC 7541 appendix A). */
export const FLIGHT = Buffer.concat([
  Buffer.from(PREFACE, "latin1"),
  toFrame(SETTINGS, 0, 0, Buffer.alloc(0)),
  toFrame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.from("\x82\x86\x84\x01\x06a.test", "latin1")),
]);

/** What a server has sent so far. */
export interface Reply {
  /** Whether its connection began as one of HTTP/2 must (RFC 9113 section 3.4). */
  readonly began: boolean;
  /** Whether the request was answered 200, whole. */
  readonly answered: boolean;
  /** Whether it said that it goes away. */
  readonly left: boolean;
}

/** Reads frames; `received` is latin1 text. */
export function readReply(received: string): Reply {
  const bytes = Buffer.from(received, "latin1");
  const frames: { readonly type: number; readonly flags: number; readonly stream: number; readonly first: number }[] =
    [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const [type = 0, flags = 0] = bytes.subarray(at + 3);
    frames.push({ type, flags, stream: bytes.readUInt32BE(at + 5), first: bytes[at + 9] ?? 0 });
  }
  const answer = frames.filter(({ stream }) => stream === 1);
  return {
    began: frames[0]?.type === SETTINGS,
    // 0x88: `:status: 200`
    answered:
      answer[0]?.type === HEADERS &&
      answer[0].first === 0x88 &&
      answer.some(({ type, flags }) => type < 2 && (flags & END_STREAM) !== 0),
    left: frames.some(({ type }) => type === GOAWAY),
  };
}

function toFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
