import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ServiceError } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { AUTHORITY_SECRET } from "@sallyport/controller/identity/authority-secret";
import {
  createAuthority,
  createKeys,
  issueCertificate,
  toCertificatePem,
  toIssuer,
  toKeyPem,
} from "@sallyport/controller/identity/issuance";
import { CERTIFY_METHOD, CONFIGURE_METHOD } from "@sallyport/model/distribution";
import { eventually } from "@sallyport/testkit/eventually";
import { certify, configure, getCertified, pass, toClient, toHello } from "./hostile-client.ts";
import { ACCOUNT, GROUP, openApi, openTestPublisher, toVersionSnapshot } from "./rig.ts";

const LIMITS = { hello: 10_000, answer: 60_000, claims: 50 };

test("a stream ends with the certificate it was opened with", async () => {
  const api = openApi();
  const { certificate, keys } = await createAuthority("test", 1);
  const entries = { "tls.crt": toCertificatePem(certificate), "tls.key": await toKeyPem(keys.privateKey) };
  const data = Object.fromEntries(Object.entries(entries).map(([name, pem]) => [name, btoa(pem)]));
  api.secrets.set(`/api/v1/namespaces/sallyport-system/secrets/${AUTHORITY_SECRET}`, { data });
  const publisher = await openTestPublisher(api);
  const { publicKey, privateKey } = await createKeys();
  const leaf = await issueCertificate(
    {
      names: [{ type: "url", value: `spiffe://cluster.local/ns/shop/sa/${ACCOUNT}` }],
      usages: ["client"],
      notBefore: new Date(Date.now() - 60_000),
      // Certificates have whole seconds.
      notAfter: new Date(Date.now() + 2000),
      publicKey,
    },
    toIssuer(keys, certificate),
  );
  const own = { cert: toCertificatePem(leaf), key: await toKeyPem(privateKey) };
  const client = toClient(publisher.port, Buffer.from(publisher.trusted), own);
  const error = await configure(client, toHello(GROUP));
  assert.equal(error.code, status.UNAUTHENTICATED, error.details);
  assert.match(error.details, /expired at .*; call Certify/);
  assert.equal(publisher.groupState(GROUP).connected, 0);
  client.close();
  publisher.close();
});

test("a proxy whose account is no longer its group's gets no further change", async () => {
  const api = openApi();
  let account = ACCOUNT;
  const publisher = await openTestPublisher(api, { accountOf: () => account });
  publisher.publish(new Map([[GROUP, { resources: new Map() }]]));
  const trusted = Buffer.from(publisher.trusted);
  const client = toClient(
    publisher.port,
    trusted,
    await getCertified(publisher.port, trusted, api.addToken("shop", ACCOUNT)),
  );
  const ended = configure(client, toHello(GROUP), { kind: "ack", nonce: 1 });
  await eventually(() => publisher.groupState(GROUP).current === 1);
  account = "web-other";
  publisher.publish(new Map([[GROUP, toVersionSnapshot("secret")]]));
  assert.equal((await ended).code, status.PERMISSION_DENIED);
  client.close();
  publisher.close();
});

test("proxies of one account cannot fill the controller's memory with what they say they hold", async () => {
  const api = openApi();
  const publisher = await openTestPublisher(api, { limits: LIMITS });
  const trusted = Buffer.from(publisher.trusted);
  const own = await getCertified(publisher.port, trusted, api.addToken("shop", ACCOUNT));
  const most = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [index.toString(36), ""]));
  const client = toClient(publisher.port, trusted, own);
  const open = (): { cancel(): void } => {
    const call = client.makeBidiStreamRequest(CONFIGURE_METHOD, pass, pass);
    call.on("error", () => undefined);
    call.on("data", () => undefined);
    call.write(Buffer.from(JSON.stringify(toHello(GROUP, { resources: most }))));
    return call;
  };
  const more = toClient(publisher.port, trusted, own);
  const calls = [open(), open(), open()];
  await eventually(() => publisher.connected === 3);
  const large = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`r${index}`, ""]));
  assert.equal((await configure(more, toHello(GROUP, { resources: large }))).code, status.RESOURCE_EXHAUSTED);
  for (const call of calls) call.cancel();
  await eventually(() => publisher.connected === 0);
  calls.push(open());
  await eventually(() => publisher.connected === 1);
  calls.at(-1)?.cancel();
  client.close();
  more.close();
  publisher.close();
});

test("requests for certificates that are never finished are few, and cut off", async () => {
  const api = openApi();
  const publisher = await openTestPublisher(api, { limits: { ...LIMITS, hello: 200 } });
  const trusted = Buffer.from(publisher.trusted);
  const clients = Array.from({ length: 3 }, () => toClient(publisher.port, trusted));
  const endings = clients.flatMap((client) => Array.from({ length: 4 }, () => begin(client)));
  const codes = (await Promise.all(endings)).map(({ code }) => code);
  assert.equal(codes.filter((code) => code === status.DEADLINE_EXCEEDED).length, 8);
  assert.equal(codes.filter((code) => code === status.RESOURCE_EXHAUSTED).length, 4);
  const after = await certify(clients[0] ?? assert.fail(), Buffer.from("{}"));
  assert.equal(Buffer.isBuffer(after) ? 0 : after.code, status.INVALID_ARGUMENT, "there is room again");
  for (const client of clients) client.close();
  publisher.close();
});

/** A request whose message does not come; what it ends with. */
function begin(client: Client): Promise<ServiceError> {
  return new Promise((resolve) => {
    client.makeClientStreamRequest(CERTIFY_METHOD, pass, pass, (error) => {
      if (error !== null) resolve(error);
    });
  });
}
