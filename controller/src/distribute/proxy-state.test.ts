import assert from "node:assert/strict";
import { test } from "node:test";
import { PART_BYTES } from "@sallyport/model/distribution";
import { decodeControllerMessage } from "@sallyport/model/message";
import { type Resource, type Snapshot, toResourceId, toSnapshot } from "@sallyport/model/snapshot";
import fc from "fast-check";
import { type Parts, ProxyState } from "./proxy-state.ts";
import { toVersion, toVersionedSlice, type VersionedSlice } from "./versioned-slice.ts";

type Content = Readonly<Record<string, number>>;

/** Endpoint sets by key; the number is their content. */
function toSlice(content: Content, before?: VersionedSlice): VersionedSlice {
  return toVersionedSlice(toContentSnapshot(content), before);
}

function toContentSnapshot(content: Content): Snapshot {
  return toSnapshot(Object.entries(content).map(([key, weight]) => toEndpoints(key, weight)));
}

function toEndpoints(key: string, weight: number): Resource {
  return { kind: "endpoints", key, endpoints: [{ address: "192.0.2.1", port: 80, weight, state: "ready" }] };
}

/** A proxy as the protocol has it: parts in, and what it holds. */
class Peer {
  held = new Map<string, { readonly version: string; readonly resource: unknown }>();

  /** Takes all parts of a change; its nonce. */
  take(parts: Parts, outcome: "accept" | "refuse"): number {
    const next = new Map(this.held);
    let nonce = 0;
    for (let part = parts.next(); part.done !== true; part = parts.next()) {
      const message = decodeControllerMessage(part.value);
      assert.ok(message.ok && message.value.kind === "change");
      nonce = message.value.nonce;
      for (const id of message.value.removed) next.delete(id);
      for (const { version, resource } of message.value.upserted)
        next.set(toResourceId(resource as Resource), { version, resource });
    }
    if (outcome === "accept") this.held = next;
    return nonce;
  }

  versions(): Map<string, string> {
    return new Map([...this.held].map(([id, { version }]) => [id, version]));
  }
}

const contents = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__", "constructor"), fc.nat(3));
const steps = fc.oneof(
  fc.record({ kind: fc.constant("publish" as const), content: contents }),
  fc.constant({ kind: "accept" as const }),
  fc.constant({ kind: "refuse" as const }),
  fc.constant({ kind: "reconnect" as const }),
);

test("whatever is published, refused and cut off, in the end the proxy has the slice", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), contents, (script, last) => {
      const peer = new Peer();
      let slice: VersionedSlice | undefined;
      let state = new ProxyState(peer.versions());
      const exchange = (outcome: "accept" | "refuse"): boolean => {
        const parts = state.next();
        if (parts === undefined) return false;
        assert.equal(state.next(), undefined, "one change at a time");
        assert.ok(state.answer(peer.take(parts, outcome), outcome === "accept" ? undefined : ["no"]));
        return true;
      };
      const publish = (content: Content): void => {
        slice = toSlice(content, slice);
        state.want(slice);
      };
      for (const step of script) {
        if (step.kind === "publish") publish(step.content);
        else if (step.kind === "reconnect") {
          // Another replica: the same content, and none of the same objects.
          slice =
            slice &&
            toSlice(Object.fromEntries([...slice.resources.values()].map((each) => [each.key, weightOf(each)])));
          state = new ProxyState(peer.versions());
          state.want(slice);
        } else exchange(step.kind);
      }
      publish({ ...last, fresh: script.length });
      exchange("accept");
      assert.equal(exchange("accept"), false, "nothing is left to say");
      assert.ok(state.isCurrent);
      assert.deepEqual(
        new Map([...peer.held].map(([id, { resource }]) => [id, resource])),
        new Map(slice?.resources ?? []),
      );
    }),
    { seed: 7, numRuns: 500 },
  );
});

function weightOf(resource: Resource): number {
  return resource.kind === "endpoints" ? (resource.endpoints[0]?.weight ?? 0) : 0;
}

test("what was refused is not sent again until it changes", () => {
  const state = new ProxyState(new Map());
  const peer = new Peer();
  const refused = toSlice({ a: 1 });
  state.want(refused);
  assert.ok(state.answer(peer.take(state.next() ?? assert.fail(), "refuse"), ["a is bad"]));
  assert.deepEqual(state.reasons, ["a is bad"]);
  state.want(toSlice({ a: 1 }, refused));
  assert.equal(state.next(), undefined);
  state.want(toSlice({ a: 2 }, refused));
  assert.ok(state.answer(peer.take(state.next() ?? assert.fail(), "accept"), undefined));
  assert.deepEqual(state.reasons, []);
  assert.ok(state.isCurrent);
});

test("changes that come while one is under way become one", () => {
  const state = new ProxyState(new Map());
  const peer = new Peer();
  state.want(toSlice({ a: 1 }));
  const first = state.next() ?? assert.fail();
  for (let weight = 2; weight < 50; weight++) state.want(toSlice({ a: weight }));
  assert.equal(state.next(), undefined);
  assert.ok(state.answer(peer.take(first, "accept"), undefined));
  assert.ok(state.answer(peer.take(state.next() ?? assert.fail(), "accept"), undefined));
  assert.ok(state.isCurrent);
  assert.equal(peer.versions().get("endpoints|a"), toVersion(toEndpoints("a", 49)));
});

test("answers to nothing that was asked are told apart", () => {
  const state = new ProxyState(new Map());
  assert.equal(state.answer(0, undefined), false);
  state.want(toSlice({ a: 1 }));
  const nonce = new Peer().take(state.next() ?? assert.fail(), "accept");
  assert.equal(state.answer(nonce + 1, undefined), false);
  assert.equal(state.answer(nonce, undefined), true);
  assert.equal(state.answer(nonce, undefined), false);
});

test("parts are no larger than they may be, but for one resource that is", () => {
  const large = "x".repeat(PART_BYTES);
  const slice = toSlice({ [large]: 1, ...Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 1])) });
  const state = new ProxyState(new Map());
  state.want(slice);
  const parts = state.next() ?? assert.fail();
  const sizes: number[] = [];
  for (let part = parts.next(); part.done !== true; part = parts.next()) sizes.push(part.value.byteLength);
  assert.equal(sizes.filter((size) => size > PART_BYTES).length, 1);
  assert.ok(sizes.length > 2);
});
