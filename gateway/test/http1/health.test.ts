/** The path by which load balancers ask whether the gateway is well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter } from "@sallyport/policies/filter";
import { answer, OK, openPair } from "./pair.ts";
import { recordOf } from "./rig.ts";

const http = { healthPath: "/healthz" };

function ask(method: string, target: string, host = "10.1.2.3"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
}

test("GET and HEAD of the path are answered by the gateway, on any host, and nobody else sees them", async (t) => {
  const seen: string[] = [];
  const filter: Filter = {
    deterministic: true,
    onRequest: () => void seen.push("request"),
    onResponse: () => void seen.push("response"),
  };
  const { rig, upstream } = await openPair(t, answer(OK), { http, rule: { filters: [filter] } });
  for (const request of [
    ask("GET", "/healthz"),
    ask("HEAD", "/healthz?from=lb", "x"),
    ask("GET", "/%68ealthz"),
    ask("GET", "//healthz"),
  ]) {
    const text = await rig.exchange(request);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*cache-control: no-store\r\n[^]*\r\n\r\n$/, request);
  }
  assert.equal(upstream.requests.length, 0);
  assert.deepEqual(seen, []);
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.details, record.flag, record.routeName], [200, "health-check", "-", ""]);
});

test("other methods and paths go their way", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http });
  for (const request of [
    ask("POST", "/healthz"),
    ask("GET", "/healthz/"),
    ask("GET", "/healthzz"),
    ask("GET", "/Healthz"),
    ask("GET", "/"),
  ])
    assert.match(await rig.exchange(request), /\r\n\r\nok$/);
  assert.equal(upstream.requests.length, 5);
});

test("without a path there is none", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  await rig.exchange(ask("GET", "/healthz"));
  assert.equal(upstream.requests.length, 1);
});

test("a gateway that drains, or sheds requests, says that it is not well", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http });
  rig.pressure.draining = true;
  assert.match(await rig.exchange(ask("GET", "/healthz")), /^HTTP\/1\.1 503 /);
  assert.match(await rig.exchange(ask("GET", "/")), /^HTTP\/1\.1 200 /);
  rig.pressure.draining = false;
  rig.pressure.shed = true;
  assert.match(await rig.exchange(ask("GET", "/healthz")), /^HTTP\/1\.1 503 /);
  assert.equal(rig.records.at(0)?.flag, "LR");
});

test("a head that was answered so does not stay answered so", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http });
  const client = await rig.client();
  const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  await client.send(request);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(upstream.requests.length, 0);
  rig.change({});
  await client.send(request);
  await client.signal.require(() => client.responses.length === 2, 2000, "another answer");
  assert.equal(upstream.requests.length, 1);
});

test("a listener whose hosts do not have the request has no word in it", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http, route: () => undefined });
  assert.match(await rig.exchange(ask("GET", "/healthz")), /^HTTP\/1\.1 404 /);
});
