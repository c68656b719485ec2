/** Bodies and retries, through a whole gateway: a body that is whole is there for every try, however large; others are not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "@sallyport/model/page";
import type { Policy, ResponseOverridePolicy } from "@sallyport/model/policy";
import { openBackend, RESET, say } from "../retries/backends.ts";
import { answer, Http2Backend } from "../retries/http2-backend.ts";
import { get, RetryRig, withBody } from "../retries/rig.ts";
import { toText } from "./rig.ts";

const WHOLE: Policy = { kind: "request-body", maxBytes: 400_000, whole: true };
const LARGE = toText(300_000).toString();

for (const whole of [true, false]) {
  test(`a large body that is ${whole ? "whole" : "streamed"} is ${whole ? "" : "not "}sent once more`, async () => {
    await using backend = await openBackend(say(503, "no"), say(200, "yes"));
    await using rig = await RetryRig.start({ backends: [backend.port], rule: { policies: [{ ...WHOLE, whole }] } });
    const { status } = await rig.ask(withBody("PUT", LARGE));
    assert.deepEqual([status, backend.count], whole ? [200, 2] : [503, 1]);
    assert.ok(backend.bodies.every((body) => body === LARGE));
  });
}

test("a whole body goes to a connection that is lost, and to the next one", async () => {
  await using backend = await openBackend(RESET, say(200, "yes"));
  await using rig = await RetryRig.start({ backends: [backend.port], rule: { policies: [WHOLE] } });
  assert.equal((await rig.ask(withBody("PUT", LARGE))).status, 200);
  assert.deepEqual([backend.count, backend.bodies[1]?.length], [2, LARGE.length]);
});

test("a whole body goes to an endpoint that speaks HTTP/2, as often as it is asked for", async () => {
  await using backend = await Http2Backend.open(answer(503, "no"), answer(200, "yes"));
  const rule = { policies: [WHOLE] };
  await using rig = await RetryRig.start({ backends: [backend.port], protocol: "http2", rule });
  assert.equal((await rig.ask(withBody("PUT", LARGE))).body, "yes");
  assert.deepEqual([backend.count, backend.bodies.every((body) => body === LARGE)], [2, true]);
});

test("a copy of a whole body goes to the mirror", async () => {
  await using backend = await openBackend(say(200));
  await using copy = await openBackend(say(200));
  const share = { numerator: 1, denominator: 1 };
  const policies: Policy[] = [WHOLE, { kind: "mirror", cluster: "default/copy:80", share }];
  await using rig = await RetryRig.start({ backends: [backend.port], copies: [copy.port], rule: { policies } });
  const body = toText(20_000).toString();
  await rig.ask(withBody("POST", body));
  await copy.upstream.signal.require(() => copy.bodies[0]?.length === body.length, 5000, "the copy");
  assert.deepEqual([backend.bodies[0], copy.bodies[0]], [body, body]);
});

test("the answer of the last try is the one that is replaced, and counts as it was", async () => {
  await using backend = await openBackend(say(503, "no"));
  const page: Page = { kind: "page", key: "a/0", contentType: "text/html", text: "<p>%STATUS%" };
  const statuses = [{ from: 500, to: 599 }];
  const overrides: ResponseOverridePolicy["overrides"] = [
    { statuses, source: "any", status: 502, headers: [], page: page.key },
  ];
  const rule = { policies: [{ kind: "response-override" as const, overrides }] };
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { attempts: 1 }, rule, pages: [page] });
  const { status, body } = await rig.ask(get());
  assert.deepEqual([status, body, backend.count], [502, "<p>502", 2]);
  const logged = await rig.logged();
  assert.deepEqual([logged.status, logged.flag, logged.bytesSent], [502, "URX", 6]);
});
