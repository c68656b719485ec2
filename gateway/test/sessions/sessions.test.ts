/** Clients stay on the endpoint that answered them first, through a whole gateway. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Policy } from "@sallyport/model/policy";
import type { HttpRule } from "@sallyport/model/route";
import type { SessionPersistence } from "@sallyport/model/session";
import type { Message } from "@sallyport/testkit/strict-http";
import { toClusterMark, toEndpointSession } from "../../src/session/endpoint-session.ts";
import { formatToken, parseToken, type SessionToken } from "../../src/session/token.ts";
import { type Backend, openBackend, RESET, say } from "../retries/backends.ts";
import { answerOf, get, RetryRig, toRetrySnapshot, type RetryParts } from "../retries/rig.ts";

const WEB = "default/web:80";
const COPY = "default/copy:80";
const COOKIE: SessionPersistence = { carrier: { kind: "cookie", name: "sid", lifetime: "session" } };
const NOW = Math.floor(Date.now() / 1000);

/** Backends that answer with their number. */
async function openBackends(t: { after(run: () => Promise<void>): void }, count: number): Promise<readonly Backend[]> {
  const backends: Backend[] = [];
  for (let number = 0; number < count; number++) backends.push(await openBackend(say(200, String(number))));
  t.after(async () => {
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  });
  return backends;
}

function toParts(backends: readonly (number | Partial<Endpoint>)[], rule: Partial<HttpRule> = {}): RetryParts {
  return { backends, rule: { session: COOKIE, ...rule } };
}

function toWeights(web: number, copy: number): HttpRule["backends"] {
  return [
    { kind: "cluster", cluster: WEB, weight: web, policies: [] },
    { kind: "cluster", cluster: COPY, weight: copy, policies: [] },
  ];
}

function valuesOf({ fields }: Message, name: string): readonly string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

/** The session that an answer gives; undefined where it gives none. */
function sessionOf(answer: Message): string | undefined {
  const [cookie, ...others] = valuesOf(answer, "set-cookie");
  assert.deepEqual(others, []);
  return cookie === undefined ? undefined : /^sid=([^;]+)/.exec(cookie)?.[1];
}

function withCookie(value: string): string {
  return get(`Cookie: a=b; sid=${value}\r\n`);
}

function toToken(port: number, changes: Partial<SessionToken> = {}, cluster = WEB): string {
  const endpoint = toEndpointSession(cluster, `127.0.0.1:${port}`);
  return formatToken({ endpoint, cluster: toClusterMark(cluster), begun: NOW, used: NOW, ...changes });
}

test("who was given a session comes to the same endpoint, and is told once", async (t) => {
  const backends = await openBackends(t, 4);
  await using rig = await RetryRig.start(toParts(backends.map(({ port }) => port)));
  const seen = new Set<string>();
  for (let clients = 0; clients < 12; clients++) {
    const first = await rig.ask();
    const session = sessionOf(first);
    assert.ok(session !== undefined);
    seen.add(first.body);
    for (let asked = 0; asked < 4; asked++) {
      const next = await rig.ask(withCookie(session));
      assert.deepEqual([next.body, sessionOf(next)], [first.body, undefined]);
    }
  }
  assert.ok(seen.size > 1, "others go elsewhere");
});

test("the cookie is for the paths of the match, hidden from scripts, and says nothing of addresses", async (t) => {
  const [backend] = await openBackends(t, 1);
  const matches: HttpRule["matches"] = [{ path: { kind: "prefix", value: "/shop" }, headers: [], query: [] }];
  await using rig = await RetryRig.start(toParts([backend?.port ?? 0], { matches }));
  const answer = await rig.ask("GET /shop/cart HTTP/1.1\r\nHost: x\r\n\r\n");
  const [cookie = ""] = valuesOf(answer, "set-cookie");
  assert.match(cookie, /^sid=1-[0-9a-f]{16}-[0-9a-f]{8}-[0-9a-z]+-[0-9a-z]+; Path=\/shop; HttpOnly$/);
});

test("a permanent cookie lasts as long as the session", async (t) => {
  const [backend] = await openBackends(t, 1);
  const carrier = { kind: "cookie", name: "sid", lifetime: "permanent" } as const;
  const session = { carrier, absoluteTimeout: 3_600_000, idleTimeout: 600_000 };
  await using rig = await RetryRig.start(toParts([backend?.port ?? 0], { session }));
  const [cookie = ""] = valuesOf(await rig.ask(), "set-cookie");
  assert.match(cookie, /; Max-Age=3600; HttpOnly$/);
  const half = toToken(backend?.port ?? 0, { begun: NOW - 1800, used: NOW - 60 });
  const [later = ""] = valuesOf(await rig.ask(withCookie(half)), "set-cookie");
  const [, left] = /Max-Age=(\d+)/.exec(later) ?? [];
  assert.ok(Number(left) <= 1800 && Number(left) > 1700, later);
});

test("a session can be in a field of its own", async (t) => {
  const backends = await openBackends(t, 3);
  const session: SessionPersistence = { carrier: { kind: "header", name: "X-Session" } };
  await using rig = await RetryRig.start(
    toParts(
      backends.map(({ port }) => port),
      { session },
    ),
  );
  const first = await rig.ask();
  const [value = ""] = valuesOf(first, "x-session");
  for (let asked = 0; asked < 5; asked++) {
    const next = await rig.ask(get(`x-session: ${value}\r\n`));
    assert.deepEqual([next.body, valuesOf(next, "x-session")], [first.body, []]);
  }
});

test("a session whose endpoint is gone begins anew on another", async (t) => {
  const [one, other] = await openBackends(t, 2);
  await using rig = await RetryRig.start(toParts([one?.port ?? 0]));
  const session = sessionOf(await rig.ask()) ?? "";
  await rig.apply(toRetrySnapshot(toParts([other?.port ?? 0])));
  const answer = await rig.ask(withCookie(session));
  assert.equal(answer.body, "1");
  const moved = sessionOf(answer) ?? "";
  assert.equal(parseToken(moved)?.endpoint, toEndpointSession(WEB, `127.0.0.1:${other?.port}`));
  assert.equal(sessionOf(await rig.ask(withCookie(moved))), undefined);
});

test("an endpoint that drains keeps its sessions, and gets no new ones", async (t) => {
  const [one, other] = await openBackends(t, 2);
  const backends = [{ port: one?.port ?? 0, state: "draining" } as const, other?.port ?? 0];
  await using rig = await RetryRig.start(toParts(backends));
  for (let asked = 0; asked < 5; asked++) {
    assert.equal((await rig.ask(withCookie(toToken(one?.port ?? 0)))).body, "0");
    assert.equal((await rig.ask()).body, "1");
  }
});

test("a session goes before the weights, also where its backend gets nothing else", async (t) => {
  const [one, other] = await openBackends(t, 2);
  const parts = (web: number, copy: number): RetryParts => ({
    ...toParts([one?.port ?? 0], { backends: toWeights(web, copy) }),
    copies: [other?.port ?? 0],
  });
  await using rig = await RetryRig.start(parts(0, 1));
  const session = sessionOf(await rig.ask()) ?? "";
  for (const [web, copy] of [
    [1000, 1],
    [1, 0],
  ] as const) {
    await rig.apply(toRetrySnapshot(parts(web, copy)));
    for (let asked = 0; asked < 5; asked++) {
      const answer = await rig.ask(withCookie(session));
      assert.deepEqual([answer.body, sessionOf(answer)], ["1", undefined], `weights ${web} and ${copy}`);
    }
  }
  assert.equal((await rig.ask()).body, "0");
});

test("where the backend of a session has no endpoints left, the weights decide", async (t) => {
  const [one, other] = await openBackends(t, 2);
  const parts = { ...toParts([one?.port ?? 0], { backends: toWeights(1, 0) }), copies: [] };
  await using rig = await RetryRig.start(parts);
  const answer = await rig.ask(withCookie(toToken(other?.port ?? 0, {}, COPY)));
  assert.deepEqual([answer.status, answer.body], [200, "0"]);
  assert.notEqual(sessionOf(answer), undefined);
});

test("each backend runs its own filters, whoever had the same head before", async () => {
  await using one = await openBackend(say(200, "0"));
  await using other = await openBackend(say(200, "1"));
  const [web, copy] = toWeights(1, 1);
  const policies: Policy[] = [
    { kind: "request-headers", set: [], add: [{ name: "x-copy", value: "yes" }], remove: [] },
  ];
  assert.ok(web?.kind === "cluster" && copy?.kind === "cluster");
  await using rig = await RetryRig.start({
    backends: [one.port],
    copies: [other.port],
    rule: { backends: [web, { ...copy, policies }] },
  });
  const client = await rig.open();
  for (let asked = 1; asked <= 40; asked++) {
    await client.send(get());
    await client.signal.require(() => client.responses.length === asked, 5000, "an answer");
  }
  const copied = (backend: Backend): readonly number[] =>
    backend.upstream.requests.map(({ message }) => valuesOf(message, "x-copy").length);
  assert.deepEqual(new Set(copied(one)), new Set([0]), "nothing of the other's");
  assert.deepEqual(new Set(copied(other)), new Set([1]), "all of its own");
});

test("what is no session of this rule is ignored", async (t) => {
  const [one, other] = await openBackends(t, 2);
  await using rig = await RetryRig.start({ ...toParts([one?.port ?? 0]), copies: [other?.port ?? 0] });
  const strangers = toToken(other?.port ?? 0, {}, COPY);
  const forged = toToken(other?.port ?? 0, { cluster: toClusterMark(WEB) }, COPY);
  for (const value of ["", "x", "1-", "%00", "a".repeat(4000), toToken(1), strangers, forged, `"${toToken(2)}"`]) {
    const answer = await rig.ask(withCookie(value));
    assert.deepEqual([answer.status, answer.body], [200, "0"], value);
    assert.ok(sessionOf(answer) !== undefined, value);
  }
  assert.equal(other?.count, 0);
});

test("times that are over begin a session anew; use keeps it", async (t) => {
  const [one, other] = await openBackends(t, 2);
  const ports = [one?.port ?? 0, other?.port ?? 0];
  const session = { ...COOKIE, absoluteTimeout: 3_600_000, idleTimeout: 60_000 };
  await using rig = await RetryRig.start(toParts(ports, { session }));
  const ask = async (changes: Partial<SessionToken>): Promise<SessionToken | undefined> => {
    const answer = await rig.ask(withCookie(toToken(ports[0] ?? 0, changes)));
    return parseToken(sessionOf(answer) ?? "");
  };
  const used = await ask({ begun: NOW - 1000, used: NOW - 30 });
  assert.equal(used?.begun, NOW - 1000);
  assert.ok((used?.used ?? 0) >= NOW);
  assert.ok(((await ask({ begun: NOW - 1000, used: NOW - 120 }))?.begun ?? 0) >= NOW, "idle");
  assert.ok(((await ask({ begun: NOW - 4000, used: NOW }))?.begun ?? 0) >= NOW, "old");
});

test("a session whose endpoint fails goes on elsewhere, within the same request", async (t) => {
  const [good] = await openBackends(t, 1);
  await using bad = await openBackend(RESET);
  await using rig = await RetryRig.start(toParts([bad.port, good?.port ?? 0]));
  const answer = await rig.ask(withCookie(toToken(bad.port)));
  assert.deepEqual([answer.status, answer.body], [200, "0"]);
  assert.equal(parseToken(sessionOf(answer) ?? "")?.endpoint, toEndpointSession(WEB, `127.0.0.1:${good?.port}`));
  assert.equal((await rig.logged()).attempts, 2);
});

test("a session outlives a connection that died while it was idle", async (t) => {
  await using flaky = await openBackend(say(200, "flaky"), RESET, say(200, "flaky"));
  const [other] = await openBackends(t, 1);
  await using rig = await RetryRig.start({ ...toParts([flaky.port, other?.port ?? 0]), retry: { attempts: 0 } });
  const client = await rig.open();
  const session = toToken(flaky.port);
  await client.send(withCookie(session));
  assert.equal((await answerOf(client)).body, "flaky");
  const answer = await rig.ask(withCookie(session));
  assert.deepEqual([answer.body, sessionOf(answer)], ["flaky", undefined]);
  assert.equal(flaky.count, 3);
});

test("answers that the gateway makes give no session", async () => {
  await using rig = await RetryRig.start(toParts([]));
  const answer = await rig.ask(withCookie(toToken(1)));
  assert.deepEqual([answer.status, valuesOf(answer, "set-cookie")], [503, []]);
});
