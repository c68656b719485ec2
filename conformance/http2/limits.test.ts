// What one client may make the gateway keep: header lists and their bombs, answers that nobody reads, bodies that nobody takes.
// Memory stays bounded, and others are served meanwhile.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Script } from "@sallyport/testkit/raw-upstream";
import { Attacker, PATIENCE } from "./attacker.ts";
import { type Http2Edge, openHttp2Edge } from "./edge.ts";
import { ERROR, FLAG, frame, get, headers, post, SETTING, toBlock, toKept, TYPE, windowUpdate } from "./frames.ts";

const MIB = 1 << 20;
/** Of each large answer. */
const LARGE = 8 * MIB;

const large: Script = () => ({
  when: "complete",
  steps: [`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n${"x".repeat(LARGE)}`],
});

const id = (n: number): number => n * 2 + 1;

describe("what one client of HTTP/2 may make the gateway keep", () => {
  let edge: Http2Edge | undefined;
  const opened = (): Http2Edge => edge ?? assert.fail("not open");

  before(async () => {
    edge = await openHttp2Edge();
  });

  after(() => edge?.stop());

  async function withAttacker(
    attack: (attacker: Attacker) => Promise<void>,
    ...more: readonly (readonly [id: number, value: number])[]
  ): Promise<void> {
    await opened().whileOthersAreServed(async () => {
      const attacker = await Attacker.open(opened().port, ...more);
      try {
        await attack(attacker);
      } finally {
        attacker.close();
      }
    });
  }

  test("HPACK bomb: a field of 4000 bytes named 16 000 times is a 431, again and again (the list is limited)", async () => {
    opened().begin();
    const before = opened().memory();
    await withAttacker(async (attacker) => {
      const block = toBlock(get()) + toKept("x-a", "v".repeat(3900));
      attacker.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
      assert.equal((await attacker.outcome(1)).status, 200);
      const bomb = toBlock(get()) + "\xbe".repeat(16_000);
      for (let n = 1; n <= 100 && !attacker.over; n++) {
        attacker.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, id(n), bomb));
        const { status } = await attacker.outcome(id(n));
        assert.ok(status === 431 || attacker.goaway === ERROR.calm, `status ${status}`);
      }
    });
    assert.equal(opened().upstream.requests.length, 1);
    assert.ok(opened().memory() - before < 100 * MIB, "memory grew");
  });

  // the blocks are below the limit of 61 440 bytes, which ends the connection; the lists, 32 bytes a field more, are not
  for (const [what, fields] of [
    ["one field that is too large", [["x-a", "v".repeat(15_000)] as const, ...many(90, 500)]],
    ["too many fields", many(300, 1)],
    ["one name that is too large", [["x".repeat(15_000), "1"] as const, ...many(90, 500)]],
  ] as const) {
    test(`${what}: 431, and the connection goes on`, async () => {
      opened().begin();
      await withAttacker(async (attacker) => {
        attacker.send(...inFrames(1, toBlock(get("/", ...fields))));
        assert.equal((await attacker.outcome(1)).status, 431);
        attacker.send(headers(3, get()));
        assert.equal((await attacker.outcome(3)).status, 200);
      });
      assert.equal(opened().upstream.requests.length, 1);
    });
  }

  test("a :path that is too large is refused, and the connection goes on", async () => {
    opened().begin();
    await withAttacker(async (attacker) => {
      attacker.send(...inFrames(1, toBlock(get(`/${"p".repeat(61_300)}`))));
      const { status, reset } = await attacker.outcome(1);
      assert.ok([414, 431].includes(status), `status ${status}, reset ${reset}`);
      attacker.send(headers(3, get()));
      assert.equal((await attacker.outcome(3)).status, 200);
    });
  });

  test("trailers that are too large do not reach the backend (the list is limited there, too)", async () => {
    opened().begin();
    await withAttacker(async (attacker) => {
      attacker.send(headers(1, post(), "goes-on"), ...inFrames(1, toBlock(many(500, 100))));
      await attacker.outcome(1);
    });
    assert.ok(opened().upstream.requests.every(({ message }) => message.trailers.length === 0));
  });

  for (const [what, block] of [
    ["index 0", "\x80"],
    ["an index nobody made", "\xfe"],
    ["a literal that ends early", "\x00\x05ab"],
    ["an integer without end", "\xff\xff\xff\xff\xff\xff\xff\x7f"],
    ["padding of zeros", "\x00\x01a\x81\x18"],
    ["EOS", "\x00\x01a\x84\xff\xff\xff\xff"],
    ["a table beyond what was announced", "\x3f\xff\xff\x7f"],
    ["a size behind a field", "\x82\x20"],
  ] as const) {
    test(`a block with ${what} ends the connection (COMPRESSION_ERROR)`, async () => {
      opened().begin();
      await withAttacker(async (attacker) => {
        attacker.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
        await attacker.signal.require(() => attacker.closed, PATIENCE, "the end of the connection");
        assert.equal(attacker.goaway, ERROR.compression);
      });
      assert.equal(opened().upstream.requests.length, 0);
    });
  }

  for (const [what, window] of [
    ["CVE-2019-9517 answers for which there is no window", 0],
    ["CVE-2019-9511 answers for which there is a window of one byte", 1],
  ] as const) {
    test(`${what} are not kept (backends wait, memory is bounded)`, async () => {
      opened().begin(large);
      const before = opened().memory();
      await withAttacker(
        async (attacker) => {
          for (let n = 0; n < 60; n++) attacker.send(headers(id(n), get()));
          const arrived = (): number => [...attacker.streams.values()].filter(({ status }) => status === 200).length;
          await attacker.signal.require(() => arrived() === 60, 30_000, "60 heads");
          for (let n = 0; n < 60 && window > 0; n++) attacker.send(windowUpdate(id(n), 1), windowUpdate(id(n), 1));
          const octets = (): number => [...attacker.streams.values()].reduce((sum, { received }) => sum + received, 0);
          if (window > 0) await attacker.signal.require(() => octets() === 180, PATIENCE, "three bytes a stream");
          else assert.equal(octets(), 0);
          assert.ok(opened().memory() - before < 150 * MIB, `${opened().memory() - before} bytes more`);
        },
        [SETTING.initialWindow, window],
      );
    });
  }

  test("CVE-2019-9517 answers that have a window but are not read are not kept", async () => {
    opened().begin(large);
    const before = opened().memory();
    await withAttacker(
      async (attacker) => {
        attacker.send(windowUpdate(0, 0x7f_ff_00_00 - 65_535));
        for (let n = 0; n < 60; n++) attacker.send(headers(id(n), get()));
        await attacker.signal.require(() => attacker.count(TYPE.data) > 0, PATIENCE, "the first DATA");
        attacker.socket.pause();
        await opened().upstream.signal.require(() => opened().upstream.requests.length === 60, PATIENCE, "60 requests");
        await settledMemory();
        assert.ok(opened().memory() - before < 150 * MIB, `${opened().memory() - before} bytes more`);
      },
      [SETTING.initialWindow, 0x7f_ff_ff_ff],
    );
  });

  test("CVE-2019-9512 pings whose answers are not read end the connection or stay bounded", async () => {
    opened().begin();
    const before = opened().memory();
    await withAttacker(async (attacker) => {
      attacker.socket.pause();
      const ping = Buffer.concat(Array.from({ length: 100 }, () => frame(TYPE.ping, FLAG.none, 0, "12345678")));
      await Promise.race([attacker.flood(2000, () => ping), attacker.signal.until(() => attacker.closed, PATIENCE)]);
      assert.ok(opened().memory() - before < 100 * MIB, "memory grew");
    });
  });

  test("a body that no backend takes stops at the window (and its frames beyond it are an error)", async () => {
    opened().begin(() => ({ when: "head", steps: [{ do: "stop-reading" }] }));
    const before = opened().memory();
    await withAttacker(async (attacker) => {
      attacker.send(headers(1, post(), "goes-on"));
      const chunk = "b".repeat(16_384);
      const sent = await attacker.flood(3000, () => frame(TYPE.data, FLAG.none, 1, chunk));
      await attacker.signal.until(() => attacker.over || attacker.stream(1).reset >= 0, PATIENCE);
      const code = attacker.goaway >= 0 ? attacker.goaway : attacker.stream(1).reset;
      assert.equal(code, ERROR.flowControl, `after ${sent} frames`);
    });
    assert.ok(opened().memory() - before < 100 * MIB, "memory grew");
  });

  /** Waits until memory does not grow from one look to the next. */
  async function settledMemory(): Promise<void> {
    const { upstream } = opened();
    for (let last = 0, now = opened().memory(); now > last + MIB; now = opened().memory()) {
      last = now;
      await upstream.signal.until(() => false, 300);
    }
  }
});

function many(count: number, length: number): readonly (readonly [string, string])[] {
  return Array.from({ length: count }, (_, n) => [`x-${n}`, "v".repeat(length)] as const);
}

/** A block in a HEADERS frame that ends the stream, and CONTINUATION frames. */
function inFrames(stream: number, block: string): readonly Buffer[] {
  const parts = Array.from({ length: Math.ceil(block.length / 16_384) }, (_, n) =>
    block.slice(n * 16_384, (n + 1) * 16_384),
  );
  return parts.map((part, n) =>
    frame(
      n === 0 ? TYPE.headers : TYPE.continuation,
      (n === 0 ? FLAG.endStream : FLAG.none) | (n === parts.length - 1 ? FLAG.endHeaders : FLAG.none),
      stream,
      part,
    ),
  );
}
