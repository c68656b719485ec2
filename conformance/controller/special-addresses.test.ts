// What a real API server lets people write of where endpoints are, and that translation is no less strict than it is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiFailure } from "@sallyport/controller/api/contract";
import { openKubeApi, type OpenKubeApi } from "@sallyport/controller/api/kube-api";
import { findSpecialUse } from "@sallyport/model/special-use";
import { type RealApiServer, startApiServer } from "./api-server.ts";

let server: RealApiServer;
let api: OpenKubeApi;

before(async () => {
  server = await startApiServer();
  api = await openKubeApi({ version: "test", kubeconfig: server.kubeconfig, rate: { perSecond: 1000, burst: 1000 } });
});

after(async () => {
  api.close();
  await server[Symbol.asyncDispose]();
});

const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const SERVICES = "/api/v1/namespaces/default/services";

/** Whether the server takes an object, which it does not keep. */
async function takes(path: string, body: Readonly<Record<string, unknown>>): Promise<boolean> {
  try {
    await api.send({ method: "POST", path, query: { dryRun: "All" }, body });
    return true;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 422) return false;
    throw error;
  }
}

function takesEndpoint(address: string): Promise<boolean> {
  return takes(SLICES, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "by-hand" },
    addressType: address.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [address] }],
    ports: [{ port: 80 }],
  });
}

test("no address that the API server refuses for an endpoint would be one to us", async () => {
  const refused = [
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "ff02::1",
  ];
  for (const address of refused) {
    assert.equal(await takesEndpoint(address), false, address);
    assert.notEqual(findSpecialUse(address), undefined, address);
  }
  for (const address of ["10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "2001:db8::1"]) {
    assert.equal(await takesEndpoint(address), true, address);
    assert.equal(findSpecialUse(address), undefined, address);
  }
});

test("some that it takes lead to the proxy's own machine or to everybody, and are none to us", async () => {
  for (const address of [
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "239.1.1.1",
    "ff0e::1",
    "fd00:ec2::254",
  ]) {
    assert.equal(await takesEndpoint(address), true, address);
    assert.notEqual(findSpecialUse(address), undefined, address);
  }
});

test("external names are not judged by it at all: loopback and metadata are among them", async () => {
  for (const externalName of ["localhost", "127.0.0.1", "169.254.169.254", "web.other.svc.cluster.local"]) {
    const body = { apiVersion: "v1", kind: "Service", metadata: { name: "outside" } };
    assert.equal(await takes(SERVICES, { ...body, spec: { type: "ExternalName", externalName } }), true, externalName);
  }
});
