// What a Secret holds goes to the proxies of its Gateway, and into no line of a log and nothing that is written to the API server.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiObject } from "./memory-api.ts";
import { ClusterRig, gateway, gatewayClass } from "./cluster-rig.ts";

const LIMIT = { timeout: 30_000 };
const MARK = "this-is-the-key-that-nobody-may-see-in-any-place";

/** DER of one octet string in a sequence: what the controller takes for a key or a certificate. */
function toDer(text: string): string {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x30, body.length + 2, 4, body.length]), body]).toString("base64");
}

function toPem(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}

const WHOLE = toPem("PRIVATE KEY", toDer(MARK));
const KEYS = {
  whole: WHOLE,
  "cut off": WHOLE.slice(0, -30),
  "no DER": toPem("PRIVATE KEY", Buffer.from(MARK).toString("base64")),
  "no PEM": MARK,
  "no base64": toPem("PRIVATE KEY", `${MARK.replaceAll("-", "_")} !`),
};

function secret(key: string): ApiObject {
  const toData = (text: string): string => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "tls", namespace: "default" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": toData(toPem("CERTIFICATE", toDer("a certificate"))), "tls.key": toData(key) },
  };
}

function secureGateway(): ApiObject {
  const tls = { certificateRefs: [{ name: "tls" }] };
  const listeners = [{ name: "https", port: 443, protocol: "HTTPS", tls }];
  return { ...gateway("web"), spec: { gatewayClassName: "sallyport", listeners } };
}

for (const [name, key] of Object.entries(KEYS))
  test(`a private key that is ${name} gets into no log and no status`, LIMIT, async () => {
    const rig = new ClusterRig();
    try {
      for (const object of [gatewayClass(), secureGateway(), secret(key)]) rig.api.put(object);
      await rig.start();
      rig.lead();
      await rig.idle();
      assert.ok(rig.statusWrites().length > 0);
      const published = JSON.stringify(
        [...(rig.published?.values() ?? [])].map((each) => [...each.resources.values()]),
      );
      assert.equal(published.includes(toDer(MARK)), name === "whole", "proxies get it where it can be used");
      const shown = `${rig.logged()}\n${JSON.stringify(rig.api.writes)}`;
      for (const text of [MARK, MARK.replaceAll("-", "_"), toDer(MARK), Buffer.from(MARK).toString("base64")])
        for (const part of [text, text.slice(8, 28), Buffer.from(text).toString("base64").slice(0, 24)])
          assert.ok(!shown.includes(part), part);
    } finally {
      await rig.close();
    }
  });
