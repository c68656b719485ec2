import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { openKubeApi, type OpenKubeApi } from "../src/api/kube-api.ts";
import { campaign, type Campaign } from "../src/lease/campaign.ts";
import type { LeaseSpec } from "../src/lease/election.ts";
import { type Script, sendJson, TestApiServer } from "./api-server.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";

const leases = "/apis/coordination.k8s.io/v1/namespaces/system/leases";
/** Short, so that what the real times do in seconds can be seen. */
const times = { leaseDuration: 1000, renewDeadline: 600, retryPeriod: 100 };

/** A server that keeps one Lease. */
class LeaseRig {
  readonly server: TestApiServer;
  readonly api: OpenKubeApi;
  spec: LeaseSpec | undefined;
  isDeaf = false;
  #version = 0;

  private constructor(server: TestApiServer, api: OpenKubeApi) {
    this.server = server;
    this.api = api;
    server.script = this.#answer;
  }

  static async open(): Promise<LeaseRig> {
    const server = await TestApiServer.start();
    using directory = writeKubeconfig(server);
    return new LeaseRig(server, await openKubeApi({ version: "1", kubeconfig: directory.file("config") }));
  }

  run(identity: string): Campaign {
    return campaign(this.api, { namespace: "system", name: "controller", identity, times });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api.close();
    await this.server[Symbol.asyncDispose]();
  }

  readonly #answer: Script = ({ method, url, body }, answer) => {
    if (this.isDeaf) return true;
    assert.equal(url.pathname, method === "POST" ? leases : `${leases}/controller`);
    if (method === "GET" && this.spec === undefined) sendJson(answer, 404, { kind: "Status", reason: "NotFound" });
    else if (method === "GET") sendJson(answer, 200, this.#show());
    else this.#write(JSON.parse(body) as ReturnType<LeaseRig["show"]>, answer);
    return true;
  };

  #write(lease: ReturnType<LeaseRig["show"]>, answer: Parameters<Script>[1]): void {
    const isNew = this.spec === undefined && lease.metadata.resourceVersion === undefined;
    if (!isNew && lease.metadata.resourceVersion !== String(this.#version)) {
      sendJson(answer, 409, { kind: "Status", reason: "Conflict" });
      return;
    }
    this.#version++;
    this.spec = lease.spec;
    sendJson(answer, 200, this.#show());
  }

  show(): {
    readonly metadata: { readonly resourceVersion: string | undefined };
    readonly spec: LeaseSpec | undefined;
  } {
    return { metadata: { resourceVersion: String(this.#version) }, spec: this.spec };
  }

  #show(): object {
    return { kind: "Lease", ...this.show() };
  }
}

async function until(candidate: Campaign, wanted: "leading" | "not leading"): Promise<void> {
  const isReached = (): boolean => candidate.isLeader === (wanted === "leading");
  if (isReached()) return;
  await new Promise<void>((resolve) => {
    const stop = candidate.onChange(() => {
      if (!isReached()) return;
      stop();
      resolve();
    });
  });
}

test("one of two leads; when it closes the Lease is free and the other leads", async () => {
  await using rig = await LeaseRig.open();
  const one = rig.run("one");
  await until(one, "leading");
  const two = rig.run("two");
  await rig.server.request(({ method }) => method === "PUT");
  assert.equal(two.isLeader, false);
  await one.close();
  assert.equal(one.isLeader, false);
  await until(two, "leading");
  assert.equal(rig.spec?.holderIdentity, "two");
  await two.close();
  assert.equal(rig.spec?.holderIdentity, "");
});

test("a leader that the server no longer answers tells that it leads no more, and leads again afterwards", async () => {
  await using rig = await LeaseRig.open();
  const one = rig.run("one");
  await until(one, "leading");
  rig.isDeaf = true;
  await until(one, "not leading");
  rig.isDeaf = false;
  await until(one, "leading");
  await one.close();
});

test("after a leader that went silent another leads once the lease is over", async () => {
  await using rig = await LeaseRig.open();
  const one = rig.run("one");
  await until(one, "leading");
  rig.isDeaf = true;
  await until(one, "not leading");
  const closed = one.close();
  await closed;
  rig.isDeaf = false;
  assert.equal(rig.spec?.holderIdentity, "one");
  const two = rig.run("two");
  await until(two, "leading");
  assert.equal(rig.spec?.leaseTransitions, 1);
  await two.close();
  await eventually(() => rig.spec?.holderIdentity === "");
});
