import assert from "node:assert/strict";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { ApiFailure } from "../src/api/contract.ts";
import type { ApiEvent } from "../src/api/contract.ts";
import { openKubeApi } from "../src/api/kube-api.ts";
import { sendJson, TestApiServer, type SeenRequest } from "./api-server.ts";
import { openRig } from "./kube-api-rig.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";

async function failureOf(promise: Promise<unknown>): Promise<ApiFailure> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiFailure, String(error));
  return error;
}

const get = { method: "GET", path: "/api/v1/configmaps" } as const;

test("a request carries who we are, and its answer is an object", async () => {
  await using rig = await openRig();
  rig.server.serve("/api/v1/configmaps").put("a", "one");
  const list = await rig.api.send({ ...get, query: { labelSelector: "a=b,c in (d)" } });
  assert.equal(list["kind"], "ThingList");
  const [seen] = rig.server.seen;
  assert.equal(seen?.headers["user-agent"], "sallyport-controller/1.2.3");
  assert.equal(seen?.client, "someone");
  assert.equal(seen?.url.searchParams.get("labelSelector"), "a=b,c in (d)");
});

test("bodies are JSON of the type that is asked for", async () => {
  await using rig = await openRig();
  rig.server.script = (_, answer) => (sendJson(answer, 200, { kind: "Thing" }), true);
  const contentType = "application/apply-patch+yaml" as const;
  await rig.api.send({ method: "PATCH", path: "/api/v1/namespaces/a/things/x", body: { é: "ü" }, contentType });
  const [seen] = rig.server.seen;
  assert.equal(seen?.headers["content-type"], contentType);
  assert.deepEqual(JSON.parse(seen?.body ?? ""), { é: "ü" });
});

test("the body of a DELETE has an end, so that the next request on its connection is understood", async () => {
  await using rig = await openRig();
  rig.server.script = (_, answer) => (sendJson(answer, 200, { kind: "Status" }), true);
  const remove = { method: "DELETE", path: "/api/v1/namespaces/a/things/x", body: { kind: "DeleteOptions" } } as const;
  for (let index = 0; index < 3; index++) await rig.api.send(remove);
  assert.deepEqual(
    rig.server.seen.map(({ body }) => body),
    ['{"kind":"DeleteOptions"}', '{"kind":"DeleteOptions"}', '{"kind":"DeleteOptions"}'],
  );
  assert.equal(rig.server.connections, 1);
});

test("one connection serves one request after the other, and many at once are bounded", async () => {
  await using rig = await openRig();
  rig.server.serve("/api/v1/configmaps");
  for (let index = 0; index < 5; index++) await rig.api.send(get);
  assert.equal(rig.server.connections, 1);
  await Promise.all(Array.from({ length: 60 }, async () => rig.api.send(get)));
  assert.ok(rig.server.connections <= 16, String(rig.server.connections));
});

test("a refusal tells server, request, reason, what to check and the audit id", async () => {
  await using rig = await openRig();
  const status = { kind: "Status", reason: "Forbidden", message: 'things is forbidden: User "x" cannot list' };
  rig.server.script = (_, answer) => (sendJson(answer, 403, status, { "audit-id": "42-abc" }), true);
  const failure = await failureOf(rig.api.send(get));
  assert.deepEqual([failure.status, failure.reason], [403, "Forbidden"]);
  assert.equal(
    failure.message,
    `the API server at ${rig.server.url} refused GET /api/v1/configmaps: 403 things is forbidden: User "x" cannot list; ` +
      "check the RBAC of our service account (audit id 42-abc)",
  );
  assert.equal(rig.server.seen.length, 1);
});

test("a busy server and one that is starting are waited for, writes included", async () => {
  await using rig = await openRig();
  const answers = [429, 503, 503];
  rig.server.script = (_, answer) => {
    const status = answers.shift();
    sendJson(answer, status ?? 201, { kind: status === undefined ? "Thing" : "Status" });
    return true;
  };
  const made = await rig.api.send({ method: "POST", path: "/api/v1/things", body: {} });
  assert.equal(made["kind"], "Thing");
  assert.equal(rig.server.seen.length, 4);
});

test("conflicts and absence are for the caller", async () => {
  await using rig = await openRig();
  for (const [status, reason] of [
    [409, "Conflict"],
    [404, "NotFound"],
    [500, "InternalError"],
  ] as const) {
    rig.server.script = (_, answer) => (sendJson(answer, status, { kind: "Status", reason }), true);
    const failure = await failureOf(rig.api.send({ method: "PUT", path: "/x", body: {} }));
    assert.deepEqual([failure.status, failure.reason], [status, reason]);
  }
  assert.equal(rig.server.seen.length, 3);
});

test("a lost connection is tried again for reads, and told for writes, which may have been carried out", async () => {
  await using rig = await openRig();
  rig.server.serve("/api/v1/configmaps");
  const cutFirst = (method: string): void => {
    let isFirst = true;
    rig.server.script = (request, answer) => {
      if (!isFirst || request.method !== method) return false;
      isFirst = false;
      answer.destroy();
      return true;
    };
  };
  cutFirst("GET");
  assert.equal((await rig.api.send(get))["kind"], "ThingList");
  cutFirst("POST");
  const failure = await failureOf(rig.api.send({ ...get, method: "POST", body: {} }));
  assert.equal(failure.status, 0);
  assert.match(failure.message, /did not answer POST \/api\/v1\/configmaps: socket hang up/);
});

test("a server that says nothing, or stops in the middle, is given up", async () => {
  await using rig = await openRig({ silence: 50 });
  rig.server.script = () => true;
  const silent = await failureOf(rig.api.send({ method: "DELETE", path: "/x" }));
  assert.match(silent.message, /nothing came for 0.05 s/);
  rig.server.script = (_, answer) => {
    answer.writeHead(200, { "content-length": "100" }).write("{");
    return true;
  };
  assert.equal((await failureOf(rig.api.send({ method: "DELETE", path: "/x" }))).status, 0);
});

test("what is no object is no answer, and a signal ends a request", async () => {
  await using rig = await openRig();
  for (const body of ["<html>", "[1]", ""]) {
    rig.server.script = (_, answer) => (answer.writeHead(200).end(body), true);
    assert.equal((await failureOf(rig.api.send({ method: "POST", path: "/x" }))).status, 0);
  }
  rig.server.script = () => true;
  const abort = new AbortController();
  const sent = failureOf(rig.api.send({ ...get, path: "/hanging", signal: abort.signal }));
  await rig.server.request(({ url }) => url.pathname === "/hanging");
  abort.abort();
  assert.equal((await sent).status, 0);
});

test("a server that nobody trusts is not spoken with", async () => {
  await using rig = await openRig();
  await using other = await TestApiServer.start();
  using directory = writeKubeconfig(rig.server);
  directory.write("config", JSON.stringify(toForeignConfig(rig.server.url, other.ca)));
  const api = await openKubeApi({ version: "1", kubeconfig: directory.file("config") });
  const failure = await failureOf(api.send({ method: "POST", path: "/x", body: {} }));
  assert.match(failure.message, /its certificate is not accepted .*check the certificate authority/);
  assert.equal(rig.server.seen.length, 0);
});

function toForeignConfig(server: string, ca: string): object {
  const data = Buffer.from(ca).toString("base64");
  return {
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": data } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  };
}

test("a kubeconfig that cannot be used is told with its path", async () => {
  using directory = openTemporaryDirectory({ config: '{"current-context": "gone"}' });
  const path = directory.file("config");
  const failure = await failureOf(openKubeApi({ version: "1", kubeconfig: path }));
  assert.ok(failure.message.startsWith(`the kubeconfig ${path} cannot be used: `), failure.message);
});

test("an exec plugin gives the token, and is asked again when the server does not take it", async () => {
  using directory = openTemporaryDirectory({ token: "old" });
  const script = `const token = require("fs").readFileSync(${JSON.stringify(directory.file("token"))}, "utf8");
    console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } }));`;
  directory.write("plugin.cjs", script);
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: [directory.file("plugin.cjs")],
  };
  await using server = await TestApiServer.start();
  using kubeconfig = writeKubeconfig(server, { exec });
  const api = await openKubeApi({ version: "1", kubeconfig: kubeconfig.file("config") });
  server.script = expectToken("Bearer new");
  directory.write("token", "new");
  await api.send(get);
  directory.write("token", "newer");
  server.script = expectToken("Bearer newer");
  await api.send(get);
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ["Bearer new", "Bearer new", "Bearer newer"],
  );
  api.close();
});

function expectToken(wanted: string): TestApiServer["script"] {
  return ({ headers }, answer) => {
    const isRight = headers.authorization === wanted;
    sendJson(answer, isRight ? 200 : 401, { kind: "Status", reason: isRight ? "" : "Unauthorized" });
    return true;
  };
}

test("in a pod the service account is used, and read again when its token was replaced", async (t) => {
  await using server = await TestApiServer.start();
  using account = openTemporaryDirectory({ token: "one\n", "ca.crt": server.ca });
  const before = process.env;
  process.env = { ...before };
  t.after(() => {
    process.env = before;
  });
  process.env["KUBERNETES_SERVICE_HOST"] = "127.0.0.1";
  process.env["KUBERNETES_SERVICE_PORT"] = String(server.port);
  delete process.env["KUBECONFIG"];
  const api = await openKubeApi({ version: "1", serviceAccount: account.path });
  server.script = expectToken("Bearer one");
  await api.send(get);
  account.write("token", "two\n");
  server.script = expectToken("Bearer two");
  await api.send(get);
  server.script = expectToken("Bearer three");
  const failure = await failureOf(api.send(get));
  assert.match(failure.message, /our credentials are not accepted: check the service account/);
  assert.equal(server.seen.length, 5);
  api.close();
});

test("events of a watch come as they are cut, and it resolves when the server or a signal ends it", async () => {
  await using rig = await openRig();
  const text = ["ADDED", "MODIFIED", "BOOKMARK"]
    .map((type) => `${JSON.stringify({ type, object: { note: "é" } })}\n`)
    .join("");
  rig.server.script = ({ url }, answer) => {
    answer.writeHead(200);
    if (url.pathname === "/endless") answer.write(text);
    else for (const byte of Buffer.from(text)) answer.write(Buffer.of(byte));
    if (url.pathname !== "/endless") answer.end();
    return true;
  };
  const events: ApiEvent[] = [];
  await rig.api.watch({ ...get, query: { watch: "true" } }, (event) => events.push(event));
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${String(object["note"])}`),
    ["ADDED é", "MODIFIED é", "BOOKMARK é"],
  );
  const abort = new AbortController();
  await rig.api.watch({ ...get, path: "/endless", signal: abort.signal }, () => abort.abort());
});

test("a watch that is cut, garbled or silent fails", async () => {
  await using rig = await openRig({ watchSilence: 50 });
  const script =
    (act: (answer: Parameters<TestApiServer["script"]>[1]) => void): TestApiServer["script"] =>
    (_: SeenRequest, answer) => {
      answer.writeHead(200);
      answer.flushHeaders();
      act(answer);
      return true;
    };
  const acts = [
    script((answer) => answer.destroy()),
    script((answer) => answer.write("{}\n")),
    script(() => undefined),
  ];
  for (const act of acts) {
    rig.server.script = act;
    assert.equal((await failureOf(rig.api.watch(get, () => undefined))).status, 0);
  }
});
