// What a gateway runs out of: file descriptors, disk for its log, names that do not resolve, workers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { fetchLocal } from "@sallyport/testkit/process";
import { RawClient } from "@sallyport/testkit/raw-client";
import { head } from "../protocol/case.ts";
import { ask, outcomeOf, settles } from "./asking.ts";
import { openEdge, readMetric } from "./edge.ts";
import { startLoad, total } from "./load.ts";

/** Until what needs much work, such as another worker, is there on any machine. */
const WITHIN = { within: 100_000 };

test("running out of file descriptors refuses connections, serves those it has, and ends with the shortage", async () => {
  await using edge = await openEdge({ shellPrefix: "ulimit -n 200; exec" });
  const clients = await Promise.all(Array.from({ length: 400 }, () => RawClient.open({ port: edge.port })));
  const open = (): readonly RawClient[] => clients.filter(({ state }) => state === "open");
  // Whoever was not closed is served.
  await eventually(() => open().length < 400, { what: "the surplus connections to be closed" });
  await Promise.all(clients.map((client) => client.send(head("GET / HTTP/1.1"))));
  await eventually(() => open().every((client) => outcomeOf(client).complete), {
    what: "an answer for each that is open",
  });
  const served = clients.filter((client) => outcomeOf(client).status === 200).length;
  assert.ok(served >= 16, `${served} of 400 were served`);
  assert.equal(edge.sallyport.process.exit(), undefined, edge.sallyport.process.output());
  for (const client of clients) client.close();
  await settles(async () => assert.equal((await ask(edge.port)).status, 200), {
    what: "service after the shortage",
  });
});

test("a full log disk loses log lines, counts them, warns once, and serves on", async () => {
  await using edge = await openEdge({ extra: ["--access-log", "/dev/full"] });
  await using load = startLoad({ port: edge.port, clients: 4 });
  await eventually(() => (total(load).answers.get("200 ok") ?? 0) > 2000, { ...WITHIN, what: "2000 answers" });
  await load.stop();
  assert.deepEqual(total(load).failures, []);
  assert.deepEqual([...total(load).answers.keys()], ["200 ok"]);
  await settles(
    async () => {
      const dropped = await readMetric(edge.sallyport, "sallyport_access_log_lines_total", 'outcome="dropped"');
      assert.ok(dropped > 1000, `${dropped} lines counted as dropped`);
    },
    { what: "the lost lines to be counted" },
  );
  const warnings = edge.sallyport.process
    .output()
    .split("\n")
    .filter((line) => /\/dev\/full|no space|ENOSPC/i.test(line));
  assert.ok(warnings.length >= 1 && warnings.length <= 3, `${warnings.length} warnings:\n${warnings.join("\n")}`);
});

test("a name that does not resolve is a 503 for its route alone", async () => {
  const unknown = `apiVersion: v1
kind: Service
metadata: { name: unknown, namespace: default }
spec: { type: ExternalName, externalName: no-such-host.invalid, ports: [{ port: 80 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: unknown, namespace: default }
spec:
  parentRefs: [{ name: edge }]
  hostnames: [unknown.test]
  rules: [{ backendRefs: [{ name: unknown, port: 80 }] }]
`;
  await using edge = await openEdge({}, { "unknown.yaml": unknown });
  const lost = ask(edge.port, "GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n", 60_000);
  for (let turn = 0; turn < 20; turn += 1) assert.equal((await ask(edge.port)).status, 200);
  assert.equal((await lost).status, 503);
  await settles(
    async () => assert.equal(await readMetric(edge.sallyport, "sallyport_http_requests_total", 'flag="DF"'), 1),
    { what: "the request to be counted with the flag of a DNS failure" },
  );
});

const HOOKS = { SALLYPORT_TEST_HOOKS: "1" };

for (const [how, reason] of [
  ["terminate", "died"],
  ["hang", "hung"],
] as const) {
  test(`a worker that ${reason} under load costs only its own connections and is replaced`, async () => {
    await using edge = await openEdge({ workers: 2, environment: HOOKS });
    const replacements = (): Promise<number> =>
      readMetric(edge.sallyport, "sallyport_worker_replacements_total", `reason="${reason}"`);
    await using load = startLoad({ port: edge.port, clients: 24 });
    await eventually(() => (total(load).answers.get("200 ok") ?? 0) > 2000, { ...WITHIN, what: "the load to run" });
    const { status } = await fetchLocal(edge.sallyport.adminPort, `/workers/0/${how}`, "POST");
    assert.equal(status, 202);
    await settles(async () => assert.equal(await replacements(), 1), { ...WITHIN, what: "the replacement" });
    await settles(async () => assert.equal(await readMetric(edge.sallyport, "sallyport_workers"), 2), {
      ...WITHIN,
      what: "two workers",
    });
    const failuresBefore = total(load).failures.length;
    const answersBefore = total(load).answers.get("200 ok") ?? 0;
    await eventually(() => (total(load).answers.get("200 ok") ?? 0) > answersBefore + 2000, {
      ...WITHIN,
      what: "more answers",
    });
    await load.stop();
    const { answers, failures } = total(load);
    assert.deepEqual([...answers.keys()], ["200 ok"], "no wrong answer");
    assert.equal(failures.length, failuresBefore, "no failure once it is replaced");
    const hurt = load.tallies.filter((tally) => tally.failures.length > 0);
    assert.ok(hurt.length > 0, "the worker had connections");
    assert.ok(hurt.length < 24, "the connections of the other worker went on");
    // One for the connection it had, one more where a new one was still in the backlog of the socket that went away.
    for (const tally of hurt) assert.ok(tally.failures.length <= 2, tally.failures.join("; "));
  });
}

test("active requests and connections of a dead worker do not count for ever", async () => {
  await using edge = await openEdge({ workers: 2, environment: HOOKS });
  edge.upstream.begin(() => ({ when: "complete", steps: [{ pause: 60_000 }] }));
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open({ port: edge.port })));
  await Promise.all(clients.map((client) => client.send(head("GET / HTTP/1.1"))));
  await edge.upstream.signal.require(() => edge.upstream.requests.length === 20, 5000, "20 requests at the backend");
  for (const worker of [0, 1]) {
    await fetchLocal(edge.sallyport.adminPort, `/workers/${worker}/terminate`, "POST");
  }
  await settles(
    async () => {
      assert.equal(await readMetric(edge.sallyport, "sallyport_workers"), 2);
      assert.equal(await readMetric(edge.sallyport, "sallyport_downstream_connections_active"), 0);
      assert.equal(await readMetric(edge.sallyport, "sallyport_upstream_connections_active"), 0);
    },
    { ...WITHIN, what: "the gauges to be zero" },
  );
  for (const client of clients) client.close();
});
