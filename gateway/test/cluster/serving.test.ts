/** Routes, policies and clusters on the wire: a whole gateway between real clients and real upstreams. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cluster } from "@sallyport/model/cluster";
import type { Policy } from "@sallyport/model/policy";
import type { HttpRule } from "@sallyport/model/route";
import { type Resource, toSnapshot } from "@sallyport/model/snapshot";
import type { Gateway } from "../../src/workers/contract.ts";
import { startGateway } from "../../src/workers/supervisor.ts";
import { toBackend, toCluster, toListener, toRoute, toRule } from "../compile/resources.ts";

/** A backend that says who it is and what it got, unless told to do something else. */
class Backend {
  readonly name: string;
  readonly port: number;
  connections = 0;
  requests = 0;
  /** Answers when called, in order of arrival, where `holds` is set. */
  readonly held: (() => void)[] = [];
  holds = false;
  onRequest: (() => void) | undefined;

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  static async open(t: TestContext, name: string): Promise<Backend> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const backend = new Backend(name, (server.address() as AddressInfo).port);
    server.on("connection", () => backend.connections++);
    server.on("request", (request, response) => backend.#answer(request, response));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return backend;
  }

  /** The cluster `ns/NAME:80` with this backend as its only endpoint. */
  cluster(changes: Partial<Cluster> = {}): Resource[] {
    const key = `ns/${this.name}:80`;
    const endpoints = [{ address: "127.0.0.1", port: this.port, weight: 1, state: "ready" as const }];
    return [toCluster(key, changes), { kind: "endpoints", key, endpoints }];
  }

  /** Resolves when the next request has come in. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => {
      this.onRequest = resolve;
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const { method, url, headers } = request;
    const answer = (): void => void response.end(JSON.stringify({ by: this.name, method, url, headers }));
    if (this.holds) this.held.push(answer);
    else answer();
    this.onRequest?.();
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

class Front {
  readonly gateway: Gateway;

  private constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  static async open(t: TestContext, workers: number): Promise<Front> {
    const log = { level: "off", format: "text" } as const;
    const gateway = await startGateway({ workers, accessLog: { to: "off" }, log });
    t.after(() => gateway.close());
    return new Front(gateway);
  }

  async apply(...resources: readonly (Resource | readonly Resource[])[]): Promise<void> {
    const listener = toListener("http", { bind: { address: "127.0.0.1", port: 0 } });
    const result = await this.gateway.apply(toSnapshot([listener, ...resources.flat()]));
    assert.deepEqual(result.problems, []);
  }

  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const [port] = this.gateway.ports().values();
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

const route = (...rules: HttpRule[]): Resource => toRoute("route", rules);
const always = { numerator: 1, denominator: 1 };

test("policies act on what goes upstream and on what comes back", async (t) => {
  const [web, copy] = [await Backend.open(t, "web"), await Backend.open(t, "copy")];
  const front = await Front.open(t, 1);
  const with_ = (path: string, ...policies: Policy[]): HttpRule => toRule(path, "ns/web:80", { policies });
  await front.apply(
    web.cluster(),
    copy.cluster(),
    route(
      with_(
        "/edit",
        { kind: "request-headers", set: [], add: [{ name: "X-Add", value: "b" }], remove: ["x-remove"] },
        { kind: "response-headers", set: [{ name: "x-set", value: "c" }], add: [], remove: [] },
        { kind: "rewrite", hostname: "new.example", path: { kind: "prefix", value: "/" } },
      ),
      with_("/away", { kind: "redirect", status: 301, scheme: "https", path: { kind: "prefix", value: "/there" } }),
      with_("/abort", {
        kind: "fault",
        delay: { share: always, milliseconds: 20 },
        abort: { share: always, status: 418 },
      }),
      with_("/mirror", { kind: "mirror", cluster: "ns/copy:80", share: always }),
    ),
  );

  const edited = await front.get("/edit/x?y=z", { headers: { "x-add": "a", "x-remove": "1" } });
  const { url, headers } = JSON.parse(edited.text) as { url: string; headers: Record<string, string> };
  assert.equal(url, "/x?y=z");
  assert.deepEqual([headers["host"], headers["x-add"], headers["x-remove"]], ["new.example", "a,b", undefined]);
  assert.equal(edited.headers.get("x-set"), "c");

  const moved = await front.get("/away/x?y=z");
  assert.deepEqual([moved.status, moved.headers.get("location")], [301, "https://127.0.0.1/there/x?y=z"]);
  assert.equal((await front.get("/abort")).status, 418);

  const mirrored = copy.nextRequest();
  assert.match((await front.get("/mirror?q")).text, /"by":"web"/);
  await mirrored;
});

test("CORS answers preflights itself and marks the answers of the upstream", async (t) => {
  const web = await Backend.open(t, "web");
  const front = await Front.open(t, 1);
  const cors: Policy = {
    kind: "cors",
    allowOrigins: ["https://*.bar.com"],
    allowMethods: ["GET"],
    allowHeaders: ["x-a"],
    exposeHeaders: [],
    allowCredentials: true,
    maxAgeSeconds: 60,
  };
  await front.apply(web.cluster(), route(toRule("/", "ns/web:80", { policies: [cors] })));
  const ask = (origin: string) =>
    front.get("/", { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
  const allowed = await ask("https://a.b.bar.com");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://a.b.bar.com");
  assert.equal((await ask("https://evil.test")).headers.get("access-control-allow-origin"), null);
  assert.equal(web.requests, 0);
  const actual = await front.get("/", { headers: { origin: "https://a.bar.com" } });
  assert.equal(actual.headers.get("access-control-allow-origin"), "https://a.bar.com");
  assert.equal(actual.headers.get("vary"), "Origin");
});

test("one upstream connection outlives changes of configuration", async (t) => {
  const web = await Backend.open(t, "web");
  const front = await Front.open(t, 1);
  for (let edit = 0; edit < 5; edit++) {
    const changes = { balancer: { kind: edit % 2 === 0 ? ("random" as const) : ("round-robin" as const) } };
    await front.apply(web.cluster(changes), route(toRule(`/edit-${edit}`, "ns/web:80")));
    assert.equal((await front.get(`/edit-${edit}`)).status, 200);
    assert.equal((await front.get(`/edit-${edit - 1}`)).status, 404);
  }
  assert.equal(web.connections, 1);
});

test("a request that runs is finished by the endpoint it began on, the next one goes to the new one", async (t) => {
  const [old, next] = [await Backend.open(t, "web"), await Backend.open(t, "web")];
  const front = await Front.open(t, 1);
  old.holds = true;
  await front.apply(old.cluster(), route(toRule("/", "ns/web:80")));
  const arrived = old.nextRequest();
  const running = front.get("/running");
  await arrived;
  await front.apply(next.cluster(), route(toRule("/", "ns/web:80")));
  assert.equal((await front.get("/next")).status, 200);
  assert.equal(next.requests, 1);
  old.held.shift()?.();
  assert.equal((await running).status, 200);
});

test("beyond the limits requests wait in line, and beyond the line they are refused", async (t) => {
  const web = await Backend.open(t, "web");
  const front = await Front.open(t, 1);
  web.holds = true;
  await front.apply(web.cluster({ limits: { connections: 1, pending: 1 } }), route(toRule("/", "ns/web:80")));
  const arrived = web.nextRequest();
  const first = front.get("/");
  await arrived;
  // Of these two one waits and one is refused; which of them the kernel delivers first is its own affair.
  const others = [front.get("/"), front.get("/")];
  const refused = await Promise.race(others);
  assert.equal(refused.status, 503);
  web.onRequest = () => web.held.shift()?.();
  web.held.shift()?.();
  assert.equal((await first).status, 200);
  assert.deepEqual(
    (await Promise.all(others)).map(({ status }) => status).sort((one, two) => one - two),
    [200, 503],
  );
  assert.equal(web.connections, 1);
});

test("two workers split requests by weight", async (t) => {
  const [blue, green] = [await Backend.open(t, "blue"), await Backend.open(t, "green")];
  const front = await Front.open(t, 2);
  const backends = [toBackend("ns/blue:80", 70), toBackend("ns/green:80", 30)];
  await front.apply(blue.cluster(), green.cluster(), route(toRule("/", "", { backends })));
  for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 10 }, () => front.get("/")));
  assert.equal(blue.requests + green.requests, 500);
  assert.ok(Math.abs(blue.requests - 350) <= 25, `${blue.requests} of 500`);
});

test("a backend that cannot be served answers 500, or 503 where it has no endpoint", async (t) => {
  const front = await Front.open(t, 1);
  await front.apply(
    toCluster("ns/empty:80"),
    { kind: "endpoints", key: "ns/empty:80", endpoints: [] },
    route(
      toRule("/empty", "ns/empty:80"),
      toRule("/invalid", "", { backends: [{ kind: "invalid", reason: "BackendNotFound", weight: 1 }] }),
      toRule("/none", "", { backends: [] }),
    ),
  );
  const status = async (path: string) => (await front.get(path)).status;
  assert.equal(await status("/empty"), 503);
  assert.equal(await status("/invalid"), 500);
  assert.equal(await status("/none"), 500);
});

test("a cluster of a host name reaches it", async (t) => {
  const web = await Backend.open(t, "web");
  const front = await Front.open(t, 1);
  const discovery = { kind: "dns" as const, names: [{ hostname: "localhost", port: web.port }] };
  await front.apply(toCluster("ns/dns:80", { discovery }), route(toRule("/", "ns/dns:80")));
  assert.equal((await front.get("/")).status, 200);
});
