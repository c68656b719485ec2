/** The client role of HTTP/2 against servers that send any frames in any order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventually } from "@sallyport/testkit/eventually";
import { FrameServer, toHead } from "./frame-server.ts";

test("whatever frames come, nothing is leaked, told twice or blamed on a bug", async (t) => {
  const frame = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 99),
        fc.nat(63),
        fc.constantFrom(0, 1, 3, 5, 7, 2),
        fc.uint8Array({ maxLength: 24 }),
      )
      .map(
        ([type, flags, stream, payload]) =>
          (s: FrameServer) =>
            s.frame(type, flags, stream, Buffer.from(payload).toString("latin1")),
      ),
    fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(100, 103, 200, 204), fc.boolean()).map(
      ([id, status, end]) =>
        (s: FrameServer) =>
          s.answer(id, status, "", end),
    ),
    fc.tuple(fc.constantFrom(1, 3, 5), fc.string({ maxLength: 9 }), fc.boolean()).map(
      ([id, text, end]) =>
        (s: FrameServer) =>
          s.data(id, text, end),
    ),
    fc.tuple(fc.constantFrom(1, 3, 5), fc.nat(14)).map(
      ([id, code]) =>
        (s: FrameServer) =>
          s.reset(id, code),
    ),
    fc.constantFrom(0, 1, 3, 2 ** 31 - 1).map((id) => (s: FrameServer) => s.goaway(id)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 12 }), fc.boolean(), async (acts, cancels) => {
      const server = await FrameServer.open(t);
      const tries = [await server.request(), await server.request(toHead("POST"), "stream"), await server.request()];
      for (const act of acts) act(server);
      if (cancels) tries[1]?.stream.cancel();
      server.end();
      await eventually(() => server.told.includes("closed"));
      await eventually(() => tries.every((each, i) => each.over || (cancels && i === 1)));
      assert.equal(server.told.filter((word) => word === "closed").length, 1);
      assert.ok(server.told.filter((word) => word === "idle").length <= 3);
      assert.deepEqual(server.bugs, []);
    }),
    { numRuns: 150, endOnFailure: true },
  );
});
