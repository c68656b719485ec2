/** Which requests have the same hash, so that a balancer sends them to the same endpoint. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { HashKey } from "@sallyport/model/traffic";
import type { ConnectionRequest } from "../../src/cluster/contract.ts";
import { answer, GET, OK, openPair } from "../http1/pair.ts";

type CookieKey = HashKey & { kind: "cookie" };
const COOKIE: CookieKey = { kind: "cookie", name: "user" };

/** A gateway whose cluster asks each request for its hash by these keys, `times` times. */
async function openHashing(t: TestContext, keys: readonly HashKey[], times = 1) {
  const { rig } = await openPair(t, answer(OK));
  const hashes: (number | undefined)[] = [];
  const acquire = rig.cluster.acquire.bind(rig.cluster);
  rig.cluster.acquire = (request: ConnectionRequest, fresh: boolean): void => {
    for (let asked = 0; asked < times; asked++) hashes.push(request.hashOf?.(keys));
    acquire(request, fresh);
  };
  const client = await rig.client();
  let sent = 0;
  const ask = async (fields = "", target = "/"): Promise<number | undefined> => {
    await client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    sent++;
    await client.signal.require(() => client.responses.length === sent, 2000, "the answer");
    return hashes.at(-1);
  };
  const cookies = (): readonly string[] =>
    (client.responses.at(-1)?.fields ?? [])
      .filter(({ name }) => name.toLowerCase() === "set-cookie")
      .map(({ value }) => value);
  return { ask, cookies, hashes };
}

test("a field counts with all its values, and one that is not there does not", async (t) => {
  const { ask } = await openHashing(t, [{ kind: "header", name: "X-User" }]);
  const one = await ask("x-user: a\r\n");
  assert.equal(typeof one, "number");
  assert.equal(await ask("X-USER: a\r\nOther: 1\r\n"), one);
  assert.notEqual(await ask("x-user: b\r\n"), one);
  assert.notEqual(await ask("x-user: a\r\nx-user: b\r\n"), one);
  assert.equal(await ask("x-user: a\r\nx-user: b\r\n"), await ask("x-user: a,b\r\n"));
  assert.equal(await ask(), undefined);
});

test("a parameter of the query counts as it is understood, the first one", async (t) => {
  const { ask } = await openHashing(t, [{ kind: "query", name: "u" }]);
  const one = await ask("", "/?u=a+b");
  assert.equal(await ask("", "/other?x=1&u=a%20b&u=c"), one);
  assert.notEqual(await ask("", "/?u=c"), one);
  assert.equal(await ask("", "/?v=a"), undefined);
});

test("the address of the client counts, whatever else it sends", async (t) => {
  const { ask } = await openHashing(t, [{ kind: "source-address" }]);
  const one = await ask();
  assert.equal(typeof one, "number");
  assert.equal(await ask("X-Forwarded-For: 1.2.3.4\r\n"), one, "what nobody is trusted to say");
});

test("the first key that a request has decides", async (t) => {
  const { ask } = await openHashing(t, [{ kind: "header", name: "a" }, COOKIE, { kind: "query", name: "q" }]);
  assert.equal(await ask("a: 1\r\nCookie: user=2\r\n", "/?q=3"), await ask("a: 1\r\n"));
  assert.equal(await ask("Cookie: user=2\r\n", "/?q=3"), await ask("Cookie: x=y; user=2\r\n"));
  assert.equal(typeof (await ask("", "/?q=3")), "number");
  assert.equal(await ask(), undefined);
});

test("a cookie without a lifetime is the application's: nobody is given one", async (t) => {
  const { ask, cookies } = await openHashing(t, [COOKIE]);
  assert.equal(await ask(), undefined);
  assert.deepEqual(cookies(), []);
});

test("a client without the cookie is given one, which leads it where it went at first", async (t) => {
  const attributes = [{ name: "SameSite", value: "Strict" }, { name: "Partitioned" }];
  const { ask, cookies, hashes } = await openHashing(t, [{ ...COOKIE, lifetime: 60_000, path: "/p", attributes }], 2);
  const first = await ask();
  assert.equal(hashes[0], hashes[1], "however often it is asked for");
  const [cookie = "", ...others] = cookies();
  assert.deepEqual(others, []);
  assert.match(cookie, /^user=[0-9a-f]{16}; Path=\/p; Max-Age=60; HttpOnly; SameSite=Strict; Partitioned$/);
  assert.equal(await ask(`Cookie: ${cookie.split(";")[0]}\r\n`), first);
  assert.deepEqual(cookies(), [], "it has it now");
  assert.notEqual(await ask(), first, "another client is another");
});

test("a cookie for as long as the browser runs says no time", async (t) => {
  const { ask, cookies } = await openHashing(t, [{ ...COOKIE, lifetime: 0 }]);
  await ask();
  assert.match(cookies()[0] ?? "", /^user=[0-9a-f]{16}; Path=\/; HttpOnly$/);
});

test("who is never asked is given nothing", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.doesNotMatch(client.received, /set-cookie/i);
});
