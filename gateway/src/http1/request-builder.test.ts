/** Identity of clients that show a certificate: what is told of it, and what anybody else says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import type { ClientCertificate, DownstreamConnection, DownstreamTls } from "../exchange/contract.ts";
import { RequestHead } from "../head/request-head.ts";
import { HeadParser } from "./head-parser.ts";
import { RequestBuilder } from "./request-builder.ts";

const CERTIFICATE: ClientCertificate = {
  verified: true,
  subject: "CN=client",
  issuer: "CN=authority",
  serialNumber: "01",
  fingerprint: "ab".repeat(32),
  uriNames: ["spiffe://mesh/client"],
  dnsNames: [],
  notAfter: new Date(0),
};
const OURS = `x-forwarded-client-cert: Hash=${CERTIFICATE.fingerprint};Subject="CN=client";URI=spiffe://mesh/client`;

type Showing = "nothing" | "a certificate" | "an unverified certificate" | "no TLS";

function toConnection(showing: Showing): DownstreamConnection {
  const clientCertificate =
    showing === "nothing" ? undefined : { ...CERTIFICATE, verified: showing === "a certificate" };
  const tls: DownstreamTls = {
    serverName: "a.test",
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    listenerKey: "ns/gw/l",
    sessionContext: "",
    resumed: false,
    clientCertificate,
  };
  const peer = "192.0.2.1:4711";
  const remoteAddress = "192.0.2.1";
  return {
    scheme: "https",
    remoteAddress,
    remote: peer,
    local: "192.0.2.2:443",
    peer,
    tls: showing === "no TLS" ? undefined : tls,
  };
}

/** The lines of the head that goes upstream. */
function pass(showing: Showing, trustedHops: number, ...lines: readonly string[]): string[] {
  const options = { ...DEFAULT_HTTP_SERVER_OPTIONS, trustedHops };
  const bytes = Buffer.from(["GET / HTTP/1.1", "Host: a.test", ...lines, "", ""].join("\r\n"), "latin1");
  const parser = new HeadParser();
  const behind = parser.request(bytes, 0, bytes.length, options);
  assert.equal(behind, bytes.length);
  const head = new RequestHead();
  const text = bytes.toString("latin1", 0, behind - 2);
  assert.ok(new RequestBuilder(toConnection(showing), options).build(head, parser.head, bytes, text));
  return head.toHttp1().split("\r\n");
}

const isAboutCertificate = (line: string): boolean => line.toLowerCase().startsWith("x-forwarded-client-cert");
const CLAIMS = ["X-Forwarded-Client-Cert: Hash=1", "A: 1", "x-forwarded-client-cert: Hash=2", "B: 2"];

test("what clients claim is dropped, and what they have proven is told", () => {
  assert.deepEqual(pass("nothing", 0, ...CLAIMS).filter(isAboutCertificate), []);
  assert.deepEqual(pass("no TLS", 0, ...CLAIMS).filter(isAboutCertificate), []);
  assert.deepEqual(pass("a certificate", 0, ...CLAIMS).filter(isAboutCertificate), [OURS]);
  assert.deepEqual(pass("an unverified certificate", 0, ...CLAIMS).filter(isAboutCertificate), []);
});

test("a trusted proxy that shows no certificate of its own speaks for its clients", () => {
  const claims = CLAIMS.filter(isAboutCertificate);
  assert.deepEqual(pass("nothing", 1, ...CLAIMS).filter(isAboutCertificate), claims);
  assert.deepEqual(pass("no TLS", 1, ...CLAIMS).filter(isAboutCertificate), claims);
});

test("who shows a certificate speaks for itself alone, trusted or not", () => {
  const passed = pass("a certificate", 1, "X-Forwarded-For: 198.51.100.7", ...CLAIMS);
  assert.deepEqual(passed.filter(isAboutCertificate), [OURS]);
  assert.deepEqual(passed.slice(0, 4), ["GET / HTTP/1.1", "Host: a.test", "A: 1", "B: 2"]);
  assert.ok(passed.includes("x-forwarded-for: 198.51.100.7, 192.0.2.1"));
  assert.deepEqual(pass("an unverified certificate", 1, ...CLAIMS).filter(isAboutCertificate), []);
});

test("a list of fields for this hop cannot bring a claim back or take ours away", () => {
  const lines = ["Connection: x-forwarded-client-cert, close", ...CLAIMS];
  for (const hops of [0, 1]) assert.deepEqual(pass("a certificate", hops, ...lines).filter(isAboutCertificate), [OURS]);
});
