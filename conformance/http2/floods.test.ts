// Attacks by many small events, each of which costs the client less than us. One named test for each published attack and for each
// kind of frame; the connection must be ended with ENHANCE_YOUR_CALM before the flood is over, and others are served meanwhile.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { settles } from "../faults/asking.ts";
import { Attacker, PATIENCE } from "./attacker.ts";
import { type Http2Edge, openHttp2Edge } from "./edge.ts";
import {
  ERROR,
  FLAG,
  frame,
  get,
  headers,
  post,
  reset,
  SETTING,
  settings,
  toBlock,
  TYPE,
  windowUpdate,
} from "./frames.ts";

/** Rounds of each flood: far beyond what a budget of some thousand events allows. */
const ROUNDS = 20_000;

interface Flood {
  readonly name: string;
  /** Which guard it is about. */
  readonly guard: string;
  /** What precedes the flood. */
  readonly first?: readonly Buffer[];
  readonly round: (round: number) => Buffer;
}

const id = (round: number): number => round * 2 + 1;

const FLOODS: readonly Flood[] = [
  {
    name: "CVE-2023-44487 Rapid Reset: requests that the client takes back at once",
    guard: "resets of the client count",
    round: (n) => Buffer.concat([headers(id(n), get()), reset(id(n), ERROR.cancel)]),
  },
  {
    name: "CVE-2025-8671 MadeYouReset by WINDOW_UPDATE 0",
    guard: "resets that the client provokes count",
    round: (n) => Buffer.concat([headers(id(n), get()), windowUpdate(id(n), 0)]),
  },
  {
    name: "CVE-2025-8671 MadeYouReset by a window beyond its limit",
    guard: "resets that the client provokes count",
    round: (n) => Buffer.concat([headers(id(n), get()), windowUpdate(id(n), 0x7f_ff_ff_ff)]),
  },
  {
    name: "CVE-2025-8671 MadeYouReset by more DATA than Content-Length",
    guard: "resets that the client provokes count",
    round: (n) =>
      Buffer.concat([
        headers(id(n), post(["content-length", "1"]), "goes-on"),
        frame(TYPE.data, FLAG.none, id(n), "ab"),
      ]),
  },
  {
    name: "CVE-2025-8671 MadeYouReset by malformed heads",
    guard: "resets that the client provokes count",
    round: (n) => headers(id(n), get("/", ["Upper", "1"])),
  },
  {
    name: "CVE-2019-9514 reset flood: RST_STREAM answered by malformed requests with empty names",
    guard: "malformed requests count",
    round: (n) => headers(id(n), get("/", ["", ""])),
  },
  {
    name: "VU#421644 CONTINUATION flood: a head that never ends (CVE-2024-27983, -27316, -30255, -28182)",
    guard: "the number of CONTINUATION frames and the size of a block are limited",
    first: [frame(TYPE.headers, FLAG.endStream, 1, toBlock(get()))],
    round: (n) => frame(TYPE.continuation, FLAG.none, 1, toBlock([[`x-${n}`, "v".repeat(1000)]])),
  },
  {
    name: "VU#421644 CONTINUATION flood with nothing in the frames",
    guard: "the number of CONTINUATION frames is limited",
    first: [frame(TYPE.headers, FLAG.endStream, 1, toBlock(get()))],
    round: () => frame(TYPE.continuation, FLAG.none, 1),
  },
  {
    name: "CVE-2019-9512 ping flood",
    guard: "PING counts",
    round: () => frame(TYPE.ping, FLAG.none, 0, "12345678"),
  },
  {
    name: "CVE-2019-9515 settings flood",
    guard: "SETTINGS counts",
    round: (n) => settings([SETTING.initialWindow, 65_535 - (n & 1)]),
  },
  {
    name: "CVE-2019-9518 empty DATA",
    guard: "empty DATA counts",
    first: [headers(1, post(), "goes-on")],
    round: () => frame(TYPE.data, FLAG.none, 1),
  },
  {
    name: "CVE-2019-9518 DATA that is all padding",
    guard: "DATA without content counts",
    first: [headers(1, post(), "goes-on")],
    round: () => frame(TYPE.data, FLAG.padded, 1, "\x00"),
  },
  {
    name: "CVE-2019-9513 resource loop: priorities that change again and again",
    guard: "PRIORITY counts",
    first: [headers(1, post(), "goes-on")],
    round: (n) => frame(TYPE.priority, FLAG.none, 1, Buffer.from([0, 0, 0, 0, n & 255])),
  },
  {
    name: "requests beyond the number of streams",
    guard: "refused streams count",
    round: (n) => headers(id(n), post(), "goes-on"),
  },
];

describe("floods of frames", () => {
  let edge: Http2Edge | undefined;
  const opened = (): Http2Edge => edge ?? assert.fail("not open");

  before(async () => {
    edge = await openHttp2Edge();
  });

  after(() => edge?.stop());

  for (const { name, guard, first = [], round } of FLOODS) {
    test(`${name} (${guard})`, async () => {
      opened().begin();
      const before = opened().memory();
      await opened().whileOthersAreServed(async () => {
        const attacker = await Attacker.open(opened().port);
        try {
          attacker.send(...first);
          await attacker.flood(ROUNDS, round);
          // a quick attacker may have it all in the buffers of the kernel by then
          await attacker.signal.require(() => attacker.over, PATIENCE, "an end by the gateway");
          if (attacker.goaway >= 0) assert.equal(attacker.goaway, ERROR.calm);
          await attacker.signal.require(() => attacker.closed, PATIENCE, "the end of the connection");
        } finally {
          attacker.close();
        }
      });
      assert.ok(opened().upstream.requests.length < ROUNDS / 4);
      assert.ok(opened().memory() - before < 150 << 20, "memory grew");
    });
  }

  test("CVE-2023-44487: what clients take back is taken back from backends too", async () => {
    opened().begin(() => ({ when: "head", steps: [{ do: "await-request" }] }));
    const { requests, signal } = opened().upstream;
    // what the flood before has left on its way may still come
    const ours = (): typeof requests => requests.filter(({ message }) => message.target === "/taken-back");
    const attacker = await Attacker.open(opened().port);
    try {
      for (let n = 0; n < 50; n++) attacker.send(headers(id(n), get("/taken-back")));
      await signal.require(() => ours().length === 50, PATIENCE, "50 requests");
      for (let n = 0; n < 50; n++) attacker.send(reset(id(n), ERROR.cancel));
      await settles(() => assert.ok(ours().every(({ connection }) => connection.closed)));
      assert.equal(attacker.goaway, -1);
    } finally {
      attacker.close();
    }
  });

  test("unknown frames are ignored, however many, and hurt nobody (RFC 9113 section 5.5)", async () => {
    opened().begin();
    const before = opened().memory();
    await opened().whileOthersAreServed(async () => {
      const attacker = await Attacker.open(opened().port);
      try {
        await attacker.flood(ROUNDS, () => frame(0xbe, FLAG.none, 0, "12345678"));
        attacker.send(headers(1, get()));
        assert.equal((await attacker.outcome(1)).status, 200);
      } finally {
        attacker.close();
      }
    });
    assert.ok(opened().memory() - before < 150 << 20, "memory grew");
  });

  test("a client that works may reset, ping and set now and then", async () => {
    opened().begin();
    const attacker = await Attacker.open(opened().port);
    try {
      for (let n = 0; n < 1500; n++) {
        attacker.send(headers(id(n), get()));
        assert.equal((await attacker.outcome(id(n))).status, 200, `request ${n}, GOAWAY ${attacker.goaway}`);
        if (n % 10 === 0) attacker.send(frame(TYPE.ping, FLAG.none, 0, "12345678"));
        if (n % 50 === 0) attacker.send(settings([SETTING.initialWindow, 65_535]));
      }
      assert.equal(attacker.goaway, -1);
    } finally {
      attacker.close();
    }
  });
});
