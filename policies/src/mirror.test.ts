/** Mirroring: the copy is asked for, for the share of requests configured. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { TestCapabilities, toRequest } from "../test/views.ts";
import { compileMirror } from "./mirror.ts";

test("every request is mirrored where the share is everything", () => {
  const share = { numerator: 100, denominator: 100 };
  const filter = compileMirror({ kind: "mirror", cluster: "ns/b:80", share }, new TestCapabilities());
  const request = toRequest({});
  assert.equal(filter.onRequest?.(request), undefined);
  assert.deepEqual(request.mirrors, ["ns/b:80"]);
  assert.equal(filter.deterministic, false);
});

test("a share mirrors the requests whose draw falls below it", () => {
  const share = { numerator: 1, denominator: 4 };
  const filter = compileMirror(
    { kind: "mirror", cluster: "ns/b:80", share },
    new TestCapabilities([0.24, 0.25, 0.9, 0]),
  );
  const counts = [0, 1, 2, 3].map(() => {
    const request = toRequest({});
    void filter.onRequest?.(request);
    return request.mirrors.length;
  });
  assert.deepEqual(counts, [1, 0, 0, 1]);
});
