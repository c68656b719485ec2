/** PROXY headers towards upstreams. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toProxyHeader } from "../../src/stream/proxy-header.ts";
import { LeasingCluster } from "./leasing-cluster.ts";
import { decodeFields, decodeProxyHeader } from "./proxy-decoder.ts";
import { openStreamRig, readAll, recordOf, serve } from "./rig.ts";

const plain = (remote: string, local: string) => ({ remote, local, tls: undefined });

/** As URLs write it: the canonical form. */
function canonical(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname : address;
}

test("both versions tell the ends of any connection of one family", () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const ends = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4(), port, port),
    fc.tuple(fc.ipV6(), fc.ipV6(), port, port).map(([a, b, c, d]) => [`[${a}]`, `[${b}]`, c, d] as const),
  );
  fc.assert(
    fc.property(ends, fc.constantFrom("v1", "v2"), ([from, to, fromPort, toPort], version) => {
      const header = toProxyHeader(version, plain(`${from}:${fromPort}`, `${to}:${toPort}`), undefined);
      const seen = decodeProxyHeader(header);
      const strip = (text: string): string => text.replace(/^\[|\]$/g, "");
      assert.equal(seen.length, header.length);
      assert.deepEqual(seen.fields, []);
      const shown = [seen.from, seen.to].map((text) => {
        const colon = text.lastIndexOf(":");
        return `${canonical(strip(text.slice(0, colon)))}:${text.slice(colon + 1)}`;
      });
      assert.deepEqual(shown, [`${canonical(strip(from))}:${fromPort}`, `${canonical(strip(to))}:${toPort}`]);
    }),
  );
});

test("ends of two families are both told as IPv6", () => {
  const about = plain("[2001:db8::1%eth0]:1000", "192.0.2.1:443");
  assert.equal(
    toProxyHeader("v1", about, undefined).toString(),
    "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1000 443\r\n",
  );
  const seen = decodeProxyHeader(toProxyHeader("v2", about, undefined));
  assert.deepEqual([seen.from, seen.to], ["[2001:db8::1]:1000", "[::ffff:c000:201]:443"]);
});

test("ends that are not known are said to be so", () => {
  for (const remote of ["", "/run/socket", "192.0.2.1:99999", "example.com:1", "192.0.2.1"]) {
    const about = plain(remote, "192.0.2.1:443");
    assert.equal(toProxyHeader("v1", about, undefined).toString(), "PROXY UNKNOWN\r\n");
    assert.equal(decodeProxyHeader(toProxyHeader("v2", about, undefined)).from, "unknown");
  }
});

test("version 2 tells the server name and what TLS was terminated", () => {
  const clientCertificate = {
    verified: true,
    subject: "CN=client",
    issuer: "CN=ca",
    serialNumber: "01",
    fingerprint: "00",
    uriNames: [],
    dnsNames: [],
    notAfter: new Date(0),
  };
  const tls = {
    serverName: "a.example",
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    listenerKey: "test",
    sessionContext: "",
    resumed: false,
    clientCertificate: undefined,
  };
  const ends = { remote: "192.0.2.7:1000", local: "192.0.2.1:443" };
  const head = (about: Parameters<typeof toProxyHeader>[1]): string => {
    const { fields } = decodeProxyHeader(toProxyHeader("v2", about, undefined));
    assert.deepEqual(fields[0], [0x02, "a.example"]);
    const [type, value = ""] = fields[1] ?? [];
    assert.equal(type, 0x20);
    const bytes = Buffer.from(value, "latin1");
    assert.deepEqual(decodeFields(bytes.subarray(5)), [
      [0x21, "TLSv1.3"],
      [0x23, "TLS_AES_128_GCM_SHA256"],
    ]);
    return bytes.toString("hex", 0, 5);
  };
  assert.equal(head({ ...ends, tls }), "0100000001");
  assert.equal(head({ ...ends, tls: { ...tls, clientCertificate } }), "0700000000");
  assert.equal(head({ ...ends, tls: { ...tls, clientCertificate, resumed: true } }), "0500000000");
  const unverified = { ...clientCertificate, verified: false };
  assert.equal(head({ ...ends, tls: { ...tls, clientCertificate: unverified } }), "0700000001");
  const passed = decodeProxyHeader(toProxyHeader("v2", { ...ends, tls: undefined }, "b.example"));
  assert.deepEqual(passed.fields, [[0x02, "b.example"]]);
});

for (const version of ["v1", "v2"] as const) {
  test(`the header (${version}) is in front of what the client sent, and is there before it sends`, async (t) => {
    const seen = Promise.withResolvers<Buffer>();
    const heard = Promise.withResolvers<Buffer>();
    const port = await serve(t, (socket) => {
      socket.once("data", seen.resolve);
      void readAll(socket).then(heard.resolve, heard.reject);
      socket.end();
    });
    const cluster = new LeasingCluster("ns/s:1", port);
    cluster.terms = { proxyProtocol: version };
    const rig = await openStreamRig(t, {
      cluster,
      about: { remote: "203.0.113.9:4711", local: "198.51.100.1:25" },
      source: { head: version === "v2" ? Buffer.from("read before, ") : undefined },
    });
    const client = await rig.client();
    const answer = readAll(client);
    const header = decodeProxyHeader(await seen.promise);
    assert.deepEqual([header.from, header.to], ["203.0.113.9:4711", "198.51.100.1:25"]);
    client.end("hello");
    const sent = (await heard.promise).toString("latin1", header.length);
    assert.equal(sent, version === "v2" ? "read before, hello" : "hello");
    await answer;
    assert.equal((await recordOf(rig)).bytesReceived, sent.length);
  });
}
