import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createSelfSigned, type CertifiedKey } from "@sallyport/testkit/certs";
import type { TlsTermination } from "../router/contract.ts";
import { TlsServers } from "./tls-servers.ts";

let certificate: CertifiedKey;

before(async () => {
  certificate = await createSelfSigned({ names: ["a.test"] });
});

function toTermination(id: string, key = certificate.key): TlsTermination {
  return {
    id,
    sessionContext: "x",
    certificates: [{ chain: certificate.cert, key, ocspStaple: undefined }],
    clientValidation: undefined,
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: undefined,
    applicationProtocols: [],
  };
}

function openServers(capacity: number): { servers: TlsServers; errors: string[]; clock: { now: number } } {
  const errors: string[] = [];
  const clock = { now: 0 };
  const servers = new TlsServers({
    capacity,
    sessionKeys: undefined,
    log: { error: (message) => void errors.push(message) },
    now: () => clock.now,
    onSecure: () => undefined,
  });
  return { servers, errors, clock };
}

test("a server is made once, and the least recently used one goes first", () => {
  const { servers } = openServers(2);
  const first = servers.of(toTermination("1"));
  const second = servers.of(toTermination("2"));
  assert.equal(servers.of(toTermination("1")), first);
  servers.of(toTermination("3"));
  assert.equal(servers.size, 2);
  assert.equal(servers.of(toTermination("1")), first);
  assert.notEqual(servers.of(toTermination("2")), second);
});

test("servers that nobody needs any more are let go when the next one is made", () => {
  const { servers, clock } = openServers(100);
  for (const id of ["1", "2", "3"]) servers.of(toTermination(id));
  clock.now = 1_000_000;
  servers.of(toTermination("2"));
  servers.of(toTermination("4"));
  assert.equal(servers.size, 2);
});

test("what cannot be used is told of once, and not tried again for every client", () => {
  const { servers, errors } = openServers(2);
  for (let i = 0; i < 3; i++) assert.equal(servers.of(toTermination("1", "no key")), undefined);
  assert.equal(errors.length, 1);
});
