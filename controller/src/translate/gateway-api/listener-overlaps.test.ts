import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerProtocol } from "@sallyport/model/listener";
import fc from "fast-check";
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import type { ListenerDraft } from "./gateway-plan.ts";
import { findOverlaps } from "./listener-overlaps.ts";

const draft = fc
  .record({
    name: fc.uuid(),
    port: fc.constantFrom(1, 2),
    protocol: fc.constantFrom<ListenerProtocol[]>("http", "https", "tls", "tls-passthrough"),
    hostname: fc.constantFrom(
      undefined,
      "com",
      "a.com",
      "b.a.com",
      "c.b.a.com",
      "xa.com",
      "*.com",
      "*.a.com",
      "*.b.a.com",
    ),
  })
  .map(({ name, port, protocol, hostname }) => ({ spec: { name, port }, protocol, hostname }) as ListenerDraft);

test("listeners overlap where they speak TLS on one port and share a host, as if each were compared with each", () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 12 }), (drafts) => {
      const overlaps = findOverlaps(drafts);
      for (const one of drafts) {
        const expected = drafts.filter((other) => other !== one && doOverlap(one, other));
        assert.deepEqual(namesOf(overlaps.get(one) ?? []), namesOf(expected));
      }
    }),
  );
});

function doOverlap(one: ListenerDraft, other: ListenerDraft): boolean {
  if (one.protocol === "http" || other.protocol === "http" || one.spec.port !== other.spec.port) return false;
  return intersectHostnames(one.hostname ?? ANY_HOST, other.hostname ?? ANY_HOST) !== undefined;
}

function namesOf(drafts: readonly ListenerDraft[]): string[] {
  return drafts.map(({ spec }) => spec.name).toSorted();
}
