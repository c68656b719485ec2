/** Resolving against a real DNS server on the loopback: TTL, families, search domains, hosts file, and every failure. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DnsServer } from "@sallyport/testkit/dns-server";
import type { NameResolver } from "../contract.ts";
import { openResolver } from "./resolver.ts";

interface SetUp {
  readonly server: DnsServer;
  readonly resolver: NameResolver;
}

async function setUp(
  t: TestContext,
  files: { readonly hosts?: string; readonly resolvConf?: string } = {},
): Promise<SetUp> {
  const server = await DnsServer.open();
  const folder = await mkdtemp(join(tmpdir(), "resolver-"));
  const hostsPath = join(folder, "hosts");
  const resolvConfPath = join(folder, "resolv.conf");
  await writeFile(hostsPath, files.hosts ?? "");
  await writeFile(resolvConfPath, files.resolvConf ?? "");
  const resolver = openResolver({ servers: [server.address], hostsPath, resolvConfPath, timeout: 3000, tries: 1 });
  t.after(async () => {
    resolver.close();
    await server.close();
    await rm(folder, { recursive: true });
  });
  return { server, resolver };
}

test("a name has the addresses and the TTL of the answer", async (t) => {
  const { server, resolver } = await setUp(t);
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.1", "192.0.2.2"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("web.example"), { addresses: ["192.0.2.1", "192.0.2.2"], ttl: 30 });
});

test("IPv6 is asked for only where there is no IPv4", async (t) => {
  const { server, resolver } = await setUp(t);
  server.answers.set("both.example", { kind: "addresses", addresses: ["192.0.2.1", "2001:db8::1"], ttl: 30 });
  server.answers.set("six.example", { kind: "addresses", addresses: ["2001:db8::1"], ttl: 20 });
  assert.deepEqual(await resolver.resolve("both.example"), { addresses: ["192.0.2.1"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("six.example"), { addresses: ["2001:db8::1"], ttl: 20 });
  assert.ok(!server.questions.some(({ name, type }) => name === "both.example" && type === "AAAA"));
});

test("a truncated answer is fetched over TCP", async (t) => {
  const { server, resolver } = await setUp(t);
  const addresses = Array.from({ length: 100 }, (_, n) => `192.0.2.${n + 1}`);
  server.answers.set("big.example", { kind: "truncated", addresses, ttl: 5 });
  const outcome = await resolver.resolve("big.example");
  assert.ok(!("kind" in outcome));
  assert.deepEqual([...outcome.addresses].sort(), [...addresses].sort());
  assert.deepEqual(
    server.questions.map(({ transport }) => transport),
    ["udp", "tcp"],
  );
});

test("a name that does not exist is the server's word", async (t) => {
  const { resolver } = await setUp(t);
  assert.deepEqual(await resolver.resolve("no.example"), { kind: "negative", detail: "ENOTFOUND" });
});

test("SERVFAIL and silence are nobody's word", async (t) => {
  const { server, resolver } = await setUp(t);
  server.answers.set("broken.example", { kind: "servfail" });
  server.answers.set("silent.example", { kind: "silent" });
  assert.deepEqual(await resolver.resolve("broken.example"), { kind: "failed", detail: "ESERVFAIL" });
  assert.deepEqual(await resolver.resolve("silent.example"), { kind: "failed", detail: "ETIMEOUT" });
});

test("search domains complete short names, in order, before the name as it is", async (t) => {
  const { server, resolver } = await setUp(t, {
    resolvConf: "nameserver 192.0.2.53\nsearch ns.svc.cluster.local svc.cluster.local\noptions ndots:5\n",
  });
  server.answers.set("web.svc.cluster.local", { kind: "addresses", addresses: ["192.0.2.7"], ttl: 9 });
  assert.deepEqual(await resolver.resolve("web"), { addresses: ["192.0.2.7"], ttl: 9 });
  assert.deepEqual(
    [...new Set(server.questions.map(({ name }) => name))],
    ["web.ns.svc.cluster.local", "web.svc.cluster.local"],
  );
});

test("a search domain that cannot be asked ends the search", async (t) => {
  const { server, resolver } = await setUp(t, { resolvConf: "search one.example two.example\n" });
  server.answers.set("web.one.example", { kind: "servfail" });
  server.answers.set("web.two.example", { kind: "addresses", addresses: ["192.0.2.66"], ttl: 9 });
  assert.deepEqual(await resolver.resolve("web"), { kind: "failed", detail: "ESERVFAIL" });
});

test("a name that ends with a dot is complete", async (t) => {
  const { server, resolver } = await setUp(t, { resolvConf: "search one.example\noptions ndots:5\n" });
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 9 });
  assert.deepEqual(await resolver.resolve("web.example."), { addresses: ["192.0.2.1"], ttl: 9 });
  assert.ok(server.questions.every(({ name }) => name === "web.example"));
});

test("the hosts file and the loopback need no server", async (t) => {
  const { server, resolver } = await setUp(t, { hosts: "::1 both # comment\n192.0.2.9 both Other\n" });
  assert.deepEqual(await resolver.resolve("both"), { addresses: ["192.0.2.9"], ttl: 5 });
  assert.deepEqual(await resolver.resolve("OTHER"), { addresses: ["192.0.2.9"], ttl: 5 });
  assert.deepEqual(await resolver.resolve("localhost"), { addresses: ["127.0.0.1"], ttl: 5 });
  assert.deepEqual(await resolver.resolve("app.localhost"), { addresses: ["127.0.0.1"], ttl: 5 });
  assert.deepEqual(server.questions, []);
});

test("an IP literal is itself, for ever", async (t) => {
  const { resolver } = await setUp(t);
  assert.deepEqual(await resolver.resolve("192.0.2.1"), { addresses: ["192.0.2.1"], ttl: Infinity });
  assert.deepEqual(await resolver.resolve("2001:db8::1"), { addresses: ["2001:db8::1"], ttl: Infinity });
});

test("without the two files names are asked for as they are", async (t) => {
  const { server } = await setUp(t);
  const missing = { hostsPath: "/nonexistent/hosts", resolvConfPath: "/nonexistent/resolv.conf" };
  const resolver = openResolver({ servers: [server.address], ...missing });
  t.after(() => resolver.close());
  server.answers.set("web", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 9 });
  assert.deepEqual(await resolver.resolve("web"), { addresses: ["192.0.2.1"], ttl: 9 });
});

test("a family that is asked for is the only one, and both are both", async (t) => {
  const { server, resolver } = await setUp(t, { hosts: "192.0.2.9 file.example\n2001:db8::9 file.example\n" });
  server.answers.set("both.example", { kind: "addresses", addresses: ["192.0.2.1", "2001:db8::1"], ttl: 30 });
  server.answers.set("four.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 30 });
  const none = { kind: "negative", detail: "ENODATA" };
  assert.deepEqual(await resolver.resolve("both.example", "ipv4"), { addresses: ["192.0.2.1"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("both.example", "ipv6"), { addresses: ["2001:db8::1"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("both.example", "both"), {
    addresses: ["192.0.2.1", "2001:db8::1"],
    ttl: 30,
  });
  assert.deepEqual(await resolver.resolve("four.example", "ipv6"), none);
  assert.deepEqual(await resolver.resolve("four.example", "both"), { addresses: ["192.0.2.1"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("file.example", "ipv6"), { addresses: ["2001:db8::9"], ttl: 5 });
  assert.deepEqual(await resolver.resolve("localhost", "ipv6"), { addresses: ["::1"], ttl: 5 });
});

test("addresses that are none, and the same one in two notations, are not endpoints", async (t) => {
  const { server, resolver } = await setUp(t);
  const mapped = ["192.0.2.1", "192.0.2.1", "::ffff:c000:201", "::ffff:c000:202", "2001:db8::1"];
  server.answers.set("mapped.example", { kind: "addresses", addresses: mapped, ttl: 30 });
  server.answers.set("sink.example", { kind: "addresses", addresses: ["0.0.0.0", "::"], ttl: 30 });
  const united = await resolver.resolve("mapped.example", "both");
  assert.deepEqual(united, { addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"], ttl: 30 });
  assert.deepEqual(await resolver.resolve("mapped.example", "ipv6"), { addresses: ["2001:db8::1"], ttl: 30 });
  for (const family of [undefined, "ipv4", "ipv6", "both"] as const)
    assert.deepEqual(await resolver.resolve("sink.example", family), { kind: "negative", detail: "ENODATA" });
});
