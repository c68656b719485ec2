/** Ingress on the wire: hosts, paths, default backends and certificates as networking.k8s.io/v1 describes them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { ask, type EchoBackend, freePort, openEcho, type ServedDirectory, serveFiles, serviceYaml } from "./world.ts";

const CLASS = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: sallyport, annotations: { ingressclass.kubernetes.io/is-default-class: "true" } }
spec: { controller: sallyport.io/ingress-controller }
`;

const INGRESSES = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  ingressClassName: sallyport
  tls: [{ hosts: [shop.test], secretName: shop }]
  rules:
    - host: shop.test
      http:
        paths:
          - { path: /foo, pathType: Prefix, backend: { service: { name: a, port: { number: 80 } } } }
          - { path: /foo/bar/, pathType: Prefix, backend: { service: { name: b, port: { number: 80 } } } }
          - { path: /foo, pathType: Exact, backend: { service: { name: c, port: { number: 80 } } } }
          - { path: /broken, pathType: Prefix, backend: { service: { name: absent, port: { number: 80 } } } }
    - host: "*.shop.test"
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: b, port: { number: 80 } } } }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: default }
spec: { defaultBackend: { service: { name: d, port: { number: 80 } } } }
`;

describe("Ingress", () => {
  let served: ServedDirectory | undefined;
  let [http, https] = [0, 0];
  const backends = new Map<string, EchoBackend>();

  before(async () => {
    [http, https] = await Promise.all([freePort(), freePort()]);
    for (const name of ["a", "b", "c", "d"]) backends.set(name, await openEcho(name));
    const { cert, key } = await createSelfSigned({ names: ["shop.test"] });
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "shop" },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": cert, "tls.key": key },
    };
    const services = Array.from(backends, ([name, { port }]) => serviceYaml(name, port));
    served = await serveFiles(
      { "ingress.yaml": CLASS + INGRESSES + services.join(""), "secret.json": JSON.stringify(secret) },
      ["--port-map", `80=${http}`, "--port-map", `443=${https}`],
    );
  });

  after(async () => {
    await served?.close();
    for (const backend of backends.values()) await backend.close();
  });

  for (const [host, path, expected] of [
    ["shop.test", "/foo", "c"],
    ["shop.test", "/foo/", "a"],
    ["shop.test", "/foo/x", "a"],
    ["shop.test", "/foo/bar", "b"],
    ["shop.test", "/foo/bar/x", "b"],
    ["shop.test", "/foo/barx", "a"],
    ["shop.test", "/FOO", "d"],
    ["shop.test", "/food", "d"],
    ["shop.test", "/broken/x", 500],
    ["SHOP.test:8080", "/foo", "c"],
    ["x.shop.test", "/foo", "b"],
    ["x.y.shop.test", "/foo", "d"],
    ["other.test", "/foo", "d"],
  ] as const) {
    test(`${host}${path} leads to ${expected}`, async () => {
      const { status, echo } = await ask({ port: http, host, path });
      assert.equal(echo?.backend ?? status, expected);
    });
  }

  test("a host with a certificate is served over TLS by the same rules", async () => {
    const socket = connect({ port: https, host: "127.0.0.1", servername: "shop.test", rejectUnauthorized: false });
    let text = "";
    socket.write("GET /foo/bar HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    for await (const bytes of socket) text += String(bytes);
    assert.match(text, /"backend":"b"/);
    assert.match(text, /"x-forwarded-proto":"https"/);
  });
});
