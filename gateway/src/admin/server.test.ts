import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { EMPTY_SNAPSHOT, toSnapshot, type Snapshot } from "@sallyport/model/snapshot";
import { createAuthority } from "@sallyport/testkit/certs";
import { ActiveTable } from "../observe/active-counts.ts";
import { Cells } from "../observe/cells.ts";
import type { LogLevel } from "../observe/log.ts";
import { Series } from "../observe/series.ts";
import type { OperatorServer } from "./http.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { openAdmin } from "./server.ts";
import type { AdminSource, TestHooks, WorkerView } from "./source.ts";

interface Stage {
  ready: boolean;
  epoch: number;
  level: LogLevel;
  drains: number;
  snapshot: Snapshot;
  hooks: TestHooks | undefined;
  workers: WorkerView[];
  broken: boolean;
}

function openStage(): { readonly stage: Stage; readonly source: AdminSource } {
  const stage: Stage = {
    ready: true,
    epoch: 3,
    level: "info",
    drains: 0,
    snapshot: EMPTY_SNAPSHOT,
    hooks: undefined,
    workers: [],
    broken: false,
  };
  const cells = new Cells({ stripes: 1, listeners: 2, routes: 0, clusters: 0 });
  const facts = {
    applies: 3,
    rejects: 0,
    appliedAt: 0,
    pressure: 0,
    workersServing: 1,
    workersDied: 0,
    workersHung: 0,
    maxFiles: Infinity,
  };
  const source: AdminSource = {
    metrics: {
      cells,
      active: new ActiveTable({ workers: 1, slots: 2 }, 0),
      series: new Series(cells),
      facts: () => ({ ...facts, epoch: stage.epoch, ready: stage.ready }),
    },
    snapshot: () => stage.snapshot,
    stage: () => (stage.drains > 0 ? "draining" : "serving"),
    workers: () => (stage.broken ? Promise.reject(new Error("a bug")) : Promise.resolve(stage.workers)),
    exposition: () => Promise.resolve({ contentType: "text/plain", text: () => Promise.resolve("metrics\n") }),
    logLevel: () => stage.level,
    setLogLevel: (level) => {
      stage.level = level;
    },
    drain: () => {
      stage.drains++;
    },
    get hooks() {
      return stage.hooks;
    },
  };
  return { stage, source };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly allow: string | undefined;
}

function ask(server: OperatorServer, method: string, path: string, host = "localhost"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: server.port, host: "127.0.0.1", method, path, headers: { host }, agent: false });
    asked.on("error", reject);
    asked.on("response", (response) => {
      let body = "";
      response.on("data", (bytes: Buffer) => (body += bytes.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow }));
    });
    asked.end();
  });
}

function failTest(error: unknown): void {
  assert.fail(String(error));
}

const LOOPBACK = { host: "127.0.0.1", port: 0 };

test("paths answer to the method they are for and say which that is", async () => {
  const { source } = openStage();
  const server = await openAdmin(LOOPBACK, source, failTest);
  for (const path of ["/", "/config_dump", "/clusters", "/listeners", "/stats", "/stats/prometheus", "/ready"]) {
    assert.equal((await ask(server, "GET", path)).status, 200, path);
    assert.deepEqual(await ask(server, "POST", path).then(({ status, allow }) => [status, allow]), [405, "GET"], path);
    assert.equal((await ask(server, "HEAD", path)).body, "");
  }
  for (const path of ["/logging", "/drain"]) {
    assert.deepEqual(await ask(server, "GET", path).then(({ status, allow }) => [status, allow]), [405, "POST"], path);
  }
  assert.equal((await ask(server, "GET", "/nope")).status, 404);
  assert.equal((await ask(server, "POST", "/workers/0/terminate")).status, 404, "hooks are for tests");
  assert.equal((await ask(server, "GET", "/", "evil.example")).status, 403);
  await server.close();
});

test("a configuration dump shows everything but private keys", async () => {
  const { stage, source } = openStage();
  stage.snapshot = toSnapshot([
    { kind: "secret", key: "default/tls", certificateChain: "PUBLIC", privateKey: "-----BEGIN PRIVATE KEY-----" },
  ]);
  stage.workers = [
    { worker: 0, state: "serving", engine: { epoch: 3, listeners: [], clusters: [] } },
    { worker: 1, state: "serving, does not answer" },
  ];
  const server = await openAdmin(LOOPBACK, source, failTest);
  const { body } = await ask(server, "GET", "/config_dump");
  assert.doesNotMatch(body, /BEGIN PRIVATE KEY/);
  const dump = JSON.parse(body) as { resources: unknown; workers: unknown };
  assert.deepEqual(dump.resources, [
    { kind: "secret", key: "default/tls", certificateChain: "PUBLIC", privateKey: "(redacted)", holds: [] },
  ]);
  assert.deepEqual(dump.workers, [
    { worker: 0, state: "serving", epoch: 3 },
    { worker: 1, state: "serving, does not answer", epoch: null },
  ]);
  await server.close();
});

test("certificates and authorities are shown with whose they are and until when", async () => {
  const { stage, source } = openStage();
  const authority = await createAuthority("Acme CA");
  const notAfter = new Date("2050-01-02T03:04:05.000Z");
  const { cert, key } = await authority.issue({ names: ["a.test"], commonName: "leaf", notAfter });
  const broken = authority.cert.replace(/\nM/, "\nA");
  stage.snapshot = toSnapshot([
    { kind: "secret", key: "default/tls", certificateChain: cert, privateKey: key },
    { kind: "authorities", key: "ConfigMap/default/ca", certificates: `${authority.cert}\n${broken}` },
  ]);
  const server = await openAdmin(LOOPBACK, source, failTest);
  const { body } = await ask(server, "GET", "/config_dump");
  await server.close();
  assert.doesNotMatch(body, /PRIVATE KEY/);
  const { resources } = JSON.parse(body) as { resources: { holds: Record<string, string>[] }[] };
  assert.deepEqual(resources[0]?.holds, [
    { subject: "CN=leaf", issuer: "CN=Acme CA", notAfter: notAfter.toISOString() },
  ]);
  assert.deepEqual(
    resources[1]?.holds.map(({ subject }) => subject),
    ["CN=Acme CA", "(cannot be read)"],
  );
});

test("the level of the log is set, told, and only to levels there are", async () => {
  const { stage, source } = openStage();
  const server = await openAdmin(LOOPBACK, source, failTest);
  assert.equal((await ask(server, "POST", "/logging?level=debug")).status, 200);
  assert.equal(stage.level, "debug");
  assert.equal((await ask(server, "POST", "/logging?level=verbose")).status, 400);
  assert.deepEqual(JSON.parse((await ask(server, "POST", "/logging")).body), { level: "debug" });
  await server.close();
});

test("the metrics port answers scrapers and probes, and nothing about the configuration", async () => {
  const { stage, source } = openStage();
  const server = await openMetricsServer(LOOPBACK, source, failTest);
  assert.deepEqual(await ask(server, "GET", "/metrics", "any.example").then(({ body }) => body), "metrics\n");
  assert.equal((await ask(server, "GET", "/healthz")).status, 200);
  assert.equal((await ask(server, "GET", "/ready")).status, 200);
  assert.equal((await ask(server, "GET", "/config_dump")).status, 404);
  assert.equal((await ask(server, "POST", "/metrics")).status, 405);
  stage.ready = false;
  stage.epoch = 0;
  assert.match((await ask(server, "GET", "/ready")).body, /no configuration/);
  stage.epoch = 3;
  stage.drains = 1;
  const { status, body } = await ask(server, "GET", "/ready");
  assert.equal(status, 503);
  assert.match(body, /draining/);
  assert.equal((await ask(server, "GET", "/healthz")).status, 200);
  await server.close();
});

test("a bug in an answer is a 500 without details, and is reported", async () => {
  const { stage, source } = openStage();
  stage.broken = true;
  const errors: unknown[] = [];
  const server = await openAdmin(LOOPBACK, source, (error) => errors.push(error));
  const { status, body } = await ask(server, "GET", "/clusters");
  assert.equal(status, 500);
  assert.doesNotMatch(body, /a bug/);
  assert.equal(errors.length, 1);
  await server.close();
});

test("test hooks reach the worker they name where they are on", async () => {
  const { stage, source } = openStage();
  const done: string[] = [];
  stage.hooks = {
    terminate: (worker) => done.push(`terminate ${worker}`) > 0,
    hang: (worker) => worker < 1,
  };
  const server = await openAdmin(LOOPBACK, source, failTest);
  assert.equal((await ask(server, "POST", "/workers/1/terminate")).status, 202);
  assert.deepEqual(done, ["terminate 1"]);
  assert.equal((await ask(server, "POST", "/workers/7/hang")).status, 404);
  assert.equal((await ask(server, "GET", "/workers/0/hang")).status, 404);
  await server.close();
});
