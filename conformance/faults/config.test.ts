// Configuration that changes under load, is broken, or asks for what is not to be had: a clear word, and nothing lost.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { gatewayObjects } from "../system.ts";
import { ask, plain, settles } from "./asking.ts";
import { openEdge, readMetric, runToEnd } from "./edge.ts";
import { startLoad, total } from "./load.ts";

/** A route for everything on the listener, to one of two services, with a field that says which version it is. */
function routeVersion(port: number, version: "one" | "two"): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: flip, namespace: default }
spec:
  parentRefs: [{ name: edge, sectionName: p${port} }]
  hostnames: [a.test]
  rules:
    - filters: [{ type: ResponseHeaderModifier, responseHeaderModifier: { set: [{ name: x-version, value: ${version} }] } }]
      backendRefs: [{ name: ${version}, port: 80 }]
`;
}

function service(name: string, port: number): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default, annotations: { sallyport.io/endpoints: "127.0.0.1:${port}" } }
spec: { ports: [{ port: 80 }] }
`;
}

test("a route rewritten every 50 ms under load is served right every time", async (t) => {
  const one = await RawUpstream.open(() => plain("one"));
  const two = await RawUpstream.open(() => plain("two"));
  t.after(() => Promise.all([one.close(), two.close()]));
  const services = `${service("one", one.port)}---\n${service("two", two.port)}`;
  await using edge = await openEdge({ workers: 2 }, { "services.yaml": services });
  const flip = (version: "one" | "two"): void => {
    edge.directory.write("flip.yaml", routeVersion(edge.port, version));
  };
  flip("one");
  await settles(async () => assert.equal((await ask(edge.port)).body, "one"));
  const epochs = await readMetric(edge.sallyport, "sallyport_config_epoch");
  await using load = startLoad({ port: edge.port, clients: 8 });
  const applied = async (): Promise<number> => (await readMetric(edge.sallyport, "sallyport_config_epoch")) - epochs;
  const least = (): number =>
    Math.min(...["200 one one", "200 two two"].map((what) => total(load).answers.get(what) ?? 0));
  // A machine that does other things needs more turns for as much.
  for (let turn = 0; turn < 200 || least() <= 500 || (await applied()) <= 60; turn += 1) {
    flip(turn % 2 === 0 ? "two" : "one");
    await setTimeout(50);
  }
  await load.stop();
  const { answers, failures } = total(load);
  assert.deepEqual(failures, []);
  assert.deepEqual([...answers.keys()].toSorted(), ["200 one one", "200 two two"], "body and field are of one version");
});

test("a change is served within 100 ms of its write, and no request is misrouted meanwhile", async (t) => {
  const two = await RawUpstream.open(() => plain("two"));
  t.after(() => two.close());
  await using edge = await openEdge({}, { "services.yaml": service("two", two.port) });
  const delays: number[] = [];
  // The fastest counts: what else the machine does makes some late, and a gateway that is late makes all of them so.
  for (let turn = 0; turn < 10 || (Math.min(...delays) >= 100 && turn < 50); turn += 1) {
    edge.directory.write("flip.yaml", routeVersion(edge.port, "two"));
    const written = performance.now();
    for (let body = "ok"; body !== "two"; { body } = await ask(edge.port)) assert.equal(body, "ok");
    delays.push(performance.now() - written);
    edge.directory.write("flip.yaml", "");
    await settles(async () => assert.equal((await ask(edge.port)).body, "ok"));
  }
  assert.ok(Math.min(...delays) < 100, `${delays.map(Math.round).join(", ")} ms`);
});

test("broken YAML keeps the last good configuration and says where it is broken", async () => {
  await using edge = await openEdge();
  edge.directory.write("broken.yaml", "kind: HTTPRoute\nmetadata:\n  name: x\n bad indentation: [\n");
  await edge.sallyport.process.signal.require(
    () => /broken\.yaml:\d/.test(edge.sallyport.process.output()),
    5000,
    "a message with file and line",
  );
  assert.equal((await ask(edge.port)).body, "ok");
  assert.equal(edge.sallyport.process.exit(), undefined);
  edge.directory.write("broken.yaml", "");
  edge.directory.write("gateway.yaml", gatewayObjects([{ port: edge.port, backend: edge.upstream.port }]));
  assert.equal((await ask(edge.port)).body, "ok");
});

test("an unknown field keeps the last good configuration and suggests the right one", async () => {
  await using edge = await openEdge();
  const wrong = routeVersion(edge.port, "one").replace("hostnames:", "hostname:");
  edge.directory.write("wrong.yaml", wrong);
  await edge.sallyport.process.signal.require(
    () => /wrong\.yaml[^]*hostnames/.test(edge.sallyport.process.output()),
    5000,
    "a message with the file and a suggestion",
  );
  assert.equal((await ask(edge.port)).body, "ok");
});

test("broken YAML at the start is exit code 1 and one message with file and line, not a stack", async () => {
  using directory = openTemporaryDirectory({ "broken.yaml": "kind: [\n" });
  const child = await runToEnd(directory.path);
  assert.equal(child.exit(), 1, child.output());
  assert.match(child.output(), /broken\.yaml:\d/);
  assert.doesNotMatch(child.output(), /^\s+at /m);
});

test("a directory that is not there is exit code 1 and a message that names it", async () => {
  const child = await runToEnd("/nonexistent/objects");
  assert.equal(child.exit(), 1, child.output());
  assert.match(child.output(), /\/nonexistent\/objects/);
  assert.doesNotMatch(child.output(), /^\s+at /m);
});

test("a missing Secret is named, and listeners that do not need it are served", async () => {
  const [port = 0] = await freePorts(1);
  const secure = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: secure, namespace: default }
spec:
  gatewayClassName: sallyport
  listeners:
    - { name: https, port: ${port}, protocol: HTTPS, tls: { certificateRefs: [{ name: no-such-secret }] } }
`;
  await using edge = await openEdge({}, { "secure.yaml": secure });
  assert.match(edge.sallyport.process.output(), /no-such-secret/);
  assert.equal((await ask(edge.port)).body, "ok");
});

test("a port in use at the start is exit code 1 and says which port and what to do", async (t) => {
  const occupant = createServer().listen(0, "127.0.0.1");
  t.after(() => occupant.close());
  await eventually(() => occupant.listening);
  const address = occupant.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  using directory = openTemporaryDirectory({ "gateway.yaml": gatewayObjects([{ port, backend: 1 }]) });
  const child = await runToEnd(directory.path);
  assert.equal(child.exit(), 1, child.output());
  assert.match(child.output(), new RegExp(`${port}[^]*in use`));
  assert.match(child.output(), /--port-map/);
  assert.doesNotMatch(child.output(), /^\s+at /m);
});

test("a listener added on a port in use is refused, and what was served stays", async (t) => {
  const occupant = createServer().listen(0, "127.0.0.1");
  t.after(() => occupant.close());
  await eventually(() => occupant.listening);
  const address = occupant.address();
  const taken = typeof address === "object" ? (address?.port ?? 0) : 0;
  await using edge = await openEdge();
  const both = [edge.port, taken].map((port) => ({ port, backend: edge.upstream.port }));
  edge.directory.write("gateway.yaml", gatewayObjects(both));
  await edge.sallyport.process.signal.require(
    () => new RegExp(`${taken}[^]*in use`).test(edge.sallyport.process.output()),
    5000,
    "a message about the port",
  );
  assert.equal((await ask(edge.port)).body, "ok");
});

test("a privileged port without the privilege is exit code 1 and names --port-map", async (t) => {
  using directory = openTemporaryDirectory({ "gateway.yaml": gatewayObjects([{ port: 80, backend: 1 }]) });
  // Root may bind any port; without this capability it is like everybody else.
  const prefix =
    process.getuid?.() === 0
      ? "exec setpriv --bounding-set=-net_bind_service --inh-caps=-net_bind_service --no-new-privs"
      : "exec";
  const child = await runToEnd(directory.path, [], prefix);
  if (/setpriv/.test(child.output())) return t.skip("this machine cannot drop the capability");
  assert.equal(child.exit(), 1, child.output());
  assert.match(child.output(), /permission denied[^]*--port-map 80=8080/);
  assert.doesNotMatch(child.output(), /^\s+at /m);
});
