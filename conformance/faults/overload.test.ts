// Clients that ask for more than they take, and a gateway that is told to leave while it is busy.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { fetchLocal } from "@sallyport/testkit/process";
import { RawClient } from "@sallyport/testkit/raw-client";
import { head } from "../protocol/case.ts";
import { ask, plain } from "./asking.ts";
import { openEdge, readMetric } from "./edge.ts";
import { startLoad, total } from "./load.ts";

const MEBIBYTE = 1024 * 1024;

test("a client that pipelines without end and reads nothing is held back, and memory stays bounded", async () => {
  await using edge = await openEdge();
  edge.upstream.begin(() => plain("z".repeat(2000)));
  const before = await readMetric(edge.sallyport, "process_resident_memory_bytes");
  const client = await RawClient.open({ port: edge.port, paused: true });
  const block = head("GET / HTTP/1.1").repeat(1000);
  let sent = 0;
  for (let stalled = false; !stalled && sent < 64 * MEBIBYTE;) {
    stalled = !(await Promise.race([client.send(block).then(() => true), client.signal.until(() => false, 500)]));
    sent += block.length;
  }
  assert.ok(sent < 24 * MEBIBYTE, `${sent} bytes of requests were taken`);
  const grown = (await readMetric(edge.sallyport, "process_resident_memory_bytes")) - before;
  assert.ok(grown < 64 * MEBIBYTE, `memory grew by ${grown} bytes`);
  assert.equal((await ask(edge.port)).status, 200, "others are served meanwhile");
  client.socket.resume();
  await eventually(() => client.received.length > 4 * MEBIBYTE, {
    within: 100_000,
    what: "the answers, once it reads",
  });
  assert.equal(client.reader.problem, undefined);
  client.close();
});

test("two hundred slow heads at once keep nobody from being served", async () => {
  await using edge = await openEdge();
  const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.open({ port: edge.port })));
  await Promise.all(slow.map((client) => client.send("GET / HTTP/1.1\r\nHost: a.test\r\nX: ")));
  await using load = startLoad({ port: edge.port, clients: 4 });
  for (let turn = 0; turn < 20; turn += 1) await Promise.all(slow.map((client) => client.send("y")));
  await eventually(() => (total(load).answers.get("200 ok") ?? 0) > 1000, { what: "a thousand answers" });
  assert.deepEqual(total(load).failures, []);
  for (const client of slow) client.close();
});

test("a gateway that is told to end under load fails no request, and then is gone", async () => {
  // As long as it accepts, the load must be stopped on any machine.
  const extra = ["--min-drain", "5", "--max-drain", "20"];
  await using edge = await openEdge({ workers: 2, extra });
  edge.upstream.begin(() => ({ when: "complete", steps: [{ pause: 5 }, ...plain().steps] }));
  await using load = startLoad({ port: edge.port, clients: 16 });
  await eventually(() => (total(load).answers.get("200 ok") ?? 0) > 300, { what: "the load to run" });
  const long = RawClient.open({ port: edge.port });
  edge.sallyport.process.kill("SIGTERM");
  await eventually(async () => (await fetchLocal(edge.sallyport.metricsPort, "/ready")).status === 503);
  assert.equal((await ask(edge.port)).status, 200, "new connections are still served");
  await load.stop();
  (await long).close();
  const { answers, failures } = total(load);
  assert.deepEqual(failures, []);
  assert.deepEqual([...answers.keys()], ["200 ok"]);
  await edge.sallyport.process.signal.require(() => edge.sallyport.process.exit() !== undefined, 15_000, "the exit");
  assert.equal(edge.sallyport.process.exit(), 0);
});
