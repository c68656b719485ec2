import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { CONFIGURE_METHOD, PROXY_MESSAGE_BYTES } from "@sallyport/model/distribution";
import { createAuthority } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { certify, configure, createKeyRequest, getCertified, pass, toClient, toHello } from "./hostile-client.ts";
import { ACCOUNT, GROUP, openApi, openTestPublisher, toVersionSnapshot } from "./rig.ts";

const ACCOUNT_ID = `spiffe://cluster.local/ns/shop/sa/${ACCOUNT}`;

async function open(limits = { hello: 10_000, answer: 60_000, claims: 1000 }) {
  const api = openApi();
  const publisher = await openTestPublisher(api, { limits });
  return { api, publisher, trusted: Buffer.from(publisher.trusted) };
}

test("nobody without a certificate of the authority is configured", async () => {
  const { publisher, trusted } = await open();
  const authority = await createAuthority();
  const foreign = await authority.issue({ names: [ACCOUNT_ID], usage: "client" });
  for (const own of [undefined, foreign]) {
    const client = toClient(publisher.port, trusted, own);
    const error = await configure(client, toHello(GROUP));
    assert.equal(error.code, status.UNAUTHENTICATED, error.details);
    client.close();
  }
  publisher.close();
});

test("a proxy gets the configuration of its own group and of no other", async () => {
  const { api, publisher, trusted } = await open();
  publisher.publish(new Map([[GROUP, toVersionSnapshot("secret")]]));
  const accounts = [
    ["shop", "default"],
    ["shop", "other-sallyport"],
    ["elsewhere", ACCOUNT],
  ] as const;
  for (const [namespace, account] of accounts) {
    const own = await getCertified(publisher.port, trusted, api.addToken(namespace, account));
    const client = toClient(publisher.port, trusted, own);
    assert.equal((await configure(client, toHello(GROUP))).code, status.PERMISSION_DENIED, `${namespace}/${account}`);
    assert.equal((await configure(client, toHello("Ingress"))).code, status.PERMISSION_DENIED);
    assert.equal((await configure(client, toHello("../web"))).code, status.PERMISSION_DENIED);
    client.close();
  }
  assert.equal(publisher.groupState(GROUP).connected, 0);
  publisher.close();
});

test("what no proxy would say ends the stream, and costs nobody else", async () => {
  const { api, publisher, trusted } = await open();
  const own = await getCertified(publisher.port, trusted, api.addToken("shop", ACCOUNT));
  const client = toClient(publisher.port, trusted, own);
  const wrong: readonly (readonly [what: string, code: status, ...messages: (object | string)[]])[] = [
    ["garbage", status.INVALID_ARGUMENT, "{{{"],
    ["no object", status.INVALID_ARGUMENT, "[]"],
    ["an answer before the hello", status.INVALID_ARGUMENT, { kind: "ack", nonce: 1 }],
    ["two hellos", status.INVALID_ARGUMENT, toHello(GROUP), toHello(GROUP)],
    ["a version that is no text", status.INVALID_ARGUMENT, toHello(GROUP, { resources: { "a\n": 1 } })],
    ["an endless name", status.INVALID_ARGUMENT, toHello(GROUP, { proxy: "p".repeat(10_000) })],
    ["an oversized message", status.RESOURCE_EXHAUSTED, "x".repeat(PROXY_MESSAGE_BYTES + 1)],
  ];
  for (const [what, code, ...messages] of wrong) assert.equal((await configure(client, ...messages)).code, code, what);
  client.close();
  await eventually(() => publisher.connected === 0);
  publisher.close();
});

test("names of the language's own are names like any other", async () => {
  const { api, publisher, trusted } = await open();
  const own = await getCertified(publisher.port, trusted, api.addToken("shop", ACCOUNT));
  const client = toClient(publisher.port, trusted, own);
  const call = client.makeBidiStreamRequest(CONFIGURE_METHOD, pass, pass);
  const removed = new Promise<string>((resolve) => {
    call.on("data", (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString("utf8")) as { readonly kind: string; readonly removed?: string[] };
      if (message.kind === "change") resolve(JSON.stringify(message.removed));
    });
  });
  call.on("error", () => undefined);
  publisher.publish(new Map([[GROUP, { resources: new Map() }]]));
  call.write(
    Buffer.from(`{"kind":"hello","group":"${GROUP}","proxy":"p","version":"1","resources":{"__proto__":"x"}}`),
  );
  assert.equal(await removed, '["__proto__"]');
  assert.equal(Object.hasOwn(Object.prototype, "x"), false);
  call.cancel();
  client.close();
  publisher.close();
});

test("who says no hello, or answers no change, is cut off", async () => {
  const { api, publisher, trusted } = await open({ hello: 50, answer: 50, claims: 1000 });
  const own = await getCertified(publisher.port, trusted, api.addToken("shop", ACCOUNT));
  const client = toClient(publisher.port, trusted, own);
  assert.equal((await configure(client)).code, status.DEADLINE_EXCEEDED);
  publisher.publish(new Map([[GROUP, toVersionSnapshot("one")]]));
  assert.equal((await configure(client, toHello(GROUP))).code, status.DEADLINE_EXCEEDED);
  assert.equal(publisher.groupState(GROUP).connected, 0);
  client.close();
  publisher.close();
});

test("tokens that are not good get no certificate, and a flood of one costs one question", async () => {
  const { api, publisher, trusted } = await open();
  const { csr } = await createKeyRequest();
  const client = toClient(publisher.port, trusted);
  const ask = (token: string, request = csr): Promise<ServiceError | Buffer> =>
    certify(client, Buffer.from(JSON.stringify({ csr: request, token })));
  const refused: readonly (readonly [what: string, token: string])[] = [
    ["unknown or expired", "a.b.c"],
    ["no token", "hello"],
    ["another audience", api.addToken("shop", ACCOUNT, { audiences: ["https://kubernetes.default"] })],
    ["of no pod", api.addToken("shop", ACCOUNT, { pod: "" })],
  ];
  for (const [what, token] of refused) {
    const answer = await ask(token);
    assert.equal(Buffer.isBuffer(answer) ? 0 : answer.code, status.UNAUTHENTICATED, what);
  }
  const before = api.requests.length;
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask("a.b.c")));
  assert.equal(api.requests.length, before, "it is remembered");
  assert.ok(answers.some((answer) => !Buffer.isBuffer(answer) && answer.code === status.RESOURCE_EXHAUSTED));
  client.close();
  publisher.close();
});
