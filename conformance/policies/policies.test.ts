// Policies in a real cluster: a Gateway of two proxies, asked from outside. `npm run conformance:policies` runs this.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Answer, type Question, untilJudged } from "../echo.ts";
import { CHART } from "../helm/helm.ts";
import type { KubeObject } from "../kube-client.ts";
import { leavesInOrder } from "./leaving.ts";
import { is, podsOf, staysAtOnePod, untilAllAreWell } from "./observations.ts";
import { keepsToSubzone } from "./places.ts";
import { crdWithout, type Judged, object, PolicyCluster, type Target } from "./policy-cluster.ts";

const GATEWAY: Target = { kind: "Gateway", name: "edge" };
const WEB: Target = { kind: "Service", name: "web" };
const SOLO: Target = { kind: "Service", name: "solo" };
const route = (name: string): Target => ({ kind: "HTTPRoute", name });
const serviceOf = (name: string): Target => ({ kind: "Service", name });

let cluster: PolicyCluster;
before(async () => {
  cluster = await PolicyCluster.open();
});
after(() => cluster[Symbol.asyncDispose]());

describe("what is done with requests", () => {
  test("a request that fails once is tried again, as long as there is a policy", async () => {
    const failingOnce = (): Question => ({ path: `/retry/x?uuid=${randomUUID()}&succeedAfter=1&responseCode=503` });
    await cluster.untilAll("solo", failingOnce, is(503));
    await cluster.withPolicy("again", route("solo"), { retry: { attempts: 1, retryOn: ["gateway-error"] } }, () =>
      cluster.untilAll("solo", failingOnce, is(200)),
    );
    await cluster.untilAll("solo", failingOnce, is(503));
  });

  test("an error page takes the place of the backend's 404, and that of a route goes before that of the Gateway", async () => {
    const missing = { path: "/status/404" };
    const page = (body: string): unknown => [{ statuses: ["404"], response: { body } }];
    const bodyIs =
      (body: string) =>
      (answer: Answer): void =>
        assert.deepEqual({ status: answer.status, body: answer.body }, { status: 404, body });
    const general = { responseOverride: page("%STATUS% at the edge") };
    await cluster.withPolicy("pages", GATEWAY, general, async () => {
      await cluster.untilAll("web", missing, bodyIs("404 at the edge"));
      await cluster.withPolicy("own-pages", route("web"), { responseOverride: page("web has none") }, async () => {
        await cluster.untilAll("web", missing, bodyIs("web has none"));
        await cluster.untilAll("solo", missing, bodyIs("404 at the edge"));
      });
      await cluster.untilAll("web", missing, bodyIs("404 at the edge"));
    });
    await cluster.untilAll("web", missing, bodyIs(""));
  });

  test("requests beyond a limit are refused with 503, and none without it", async () => {
    const burst = async (): Promise<readonly number[]> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => cluster.ask("solo", { path: "/?delay=2s" })));
      return answers.map(({ status }) => status);
    };
    const none = Array.from({ length: 8 }, () => 200);
    assert.deepEqual(await burst(), none);
    await cluster.withPolicy("limits", SOLO, { circuitBreaker: { maxParallelRequests: 1 } }, () =>
      untilJudged(async () => {
        const statuses = await burst();
        // Each of the two proxies counts for itself; a burst may be all of one.
        assert.ok(statuses.filter((status) => status === 200).length <= 2, statuses.join());
        assert.ok(statuses.filter((status) => status === 503).length >= 6, statuses.join());
      }),
    );
    await untilJudged(async () => assert.deepEqual(await burst(), none));
  });
});

describe("which endpoint is chosen", () => {
  test("a session of a route stays at one pod, whichever proxy it comes by", async () => {
    const own = { sessionPersistence: { sessionName: "stay", type: "Cookie" } };
    const sessions = await cluster.addBackend("sessions", own, "web");
    try {
      await staysAtOnePod(cluster, "sessions", "stay");
    } finally {
      await cluster.client.remove(sessions);
    }
  });

  test("a session of a policy stays at one pod, and is over with the policy", async () => {
    await cluster.withPolicy("stay", WEB, { sessionPersistence: { sessionName: "policy", type: "Cookie" } }, () =>
      staysAtOnePod(cluster, "web", "policy"),
    );
    await cluster.untilAll("web", {}, ({ headers }) => assert.equal(headers["set-cookie"], undefined));
  });

  test("both proxies send a key to the same pod", async () => {
    const keyed = (user: string): Question => ({ fields: { "x-user": user } });
    const consistentHash = { keys: [{ type: "Header", name: "x-user" }] };
    const before = await cluster.servedByProxies();
    await cluster.withPolicy("hash", WEB, { loadBalancer: { type: "ConsistentHash", consistentHash } }, async () => {
      // So many, since with one proxy that hashes and one that does not yet, ten go to one pod every sixtieth time.
      await untilJudged(async () => assert.equal((await podsOf(cluster, "web", keyed("first"), 40)).size, 1));
      const used = new Set<string | undefined>();
      // Twelve keys alone miss one of three pods every fortieth time.
      for (let user = 0; user < 12 || (used.size < 3 && user < 100); user++) {
        const pods = [...(await podsOf(cluster, "web", keyed(`user-${user}`), 6))];
        assert.equal(pods.length, 1, `user-${user} was sent to ${pods.join(" and ")}`);
        used.add(pods[0]);
      }
      assert.equal(used.size, 3, "keys are spread over all pods");
    });
    const served = (await cluster.servedByProxies()).map((count, proxy) => count - (before[proxy] ?? 0));
    assert.equal(served.length, 2);
    assert.ok(Math.min(...served) > 0, `requests by proxy: ${served.join(", ")}`);
    await untilJudged(async () => assert.ok((await podsOf(cluster, "web", keyed("first"), 20)).size > 1));
  });

  test("requests stay in the subzone of the proxies, as far as nodes say it", () => keepsToSubzone(cluster));

  const isWell = is(200);
  const sendsSomeToTheIll = (): Promise<void> =>
    untilJudged(async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => cluster.ask("mixed")));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 500]));
    });

  test("a pod that is ready but fails its check gets no requests", async () => {
    await sendsSomeToTheIll();
    // The first check decides. Late answers of a busy machine are no failures: with two of three pods ill, all would be used.
    const active = { type: "HTTP", http: { path: "/health" }, interval: "200ms", timeout: "10s" };
    await cluster.withPolicy("checked", serviceOf("mixed"), { healthCheck: { active } }, async () => {
      await untilAllAreWell(cluster, "mixed");
      for (let asked = 0; asked < 30; asked++) isWell(await cluster.ask("mixed"));
    });
    await sendsSomeToTheIll();
  });

  test("a pod that answers with 500 is left out after so many answers", async () => {
    const passive = { consecutive5xxErrors: 2, baseEjectionTime: "1m", maxEjectionPercent: 50 };
    await cluster.withPolicy("outliers", serviceOf("mixed"), { healthCheck: { passive } }, () =>
      untilAllAreWell(cluster, "mixed"),
    );
    await sendsSomeToTheIll();
  });

  test("a pod that is told to end keeps its sessions, gets no new ones, and loses no request", () =>
    leavesInOrder(cluster));
});

describe("how clients are listened to", () => {
  test("a head beyond the limit of a ClientTrafficPolicy is refused, and the path of health checks answered", async () => {
    const large: Question = { fields: { "x-large": "x".repeat(3000) } };
    const probe: Question = { path: "/proxy-health" };
    const isOfBackend = ({ status, pod }: Answer): void => assert.ok(status === 200 && pod !== undefined);
    const isOfProxy = ({ status, body }: Answer): void => assert.deepEqual({ status, body }, { status: 200, body: "" });
    await cluster.untilAll("web", large, isOfBackend);
    await cluster.untilAll("web", probe, isOfBackend);
    const settings = { headers: { maxBytes: "2Ki" }, healthCheck: { path: "/proxy-health" } };
    const policy = await cluster.applyPolicy("ClientTrafficPolicy", "edge", [GATEWAY], settings);
    try {
      await cluster.condition(policy, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      await cluster.untilAll("web", large, is(431));
      await cluster.untilAll("web", probe, isOfProxy);
      await cluster.untilAll("none", probe, isOfProxy);
      is(200)(await cluster.ask("web"));
    } finally {
      await cluster.client.remove(policy);
    }
    await cluster.untilAll("web", large, isOfBackend);
    await cluster.untilAll("web", probe, isOfBackend);
  });
});

describe("what policies are told", () => {
  test("of two with the same target the younger is Conflicted until the older is gone", async () => {
    const settings = { timeout: { connect: "1s" } };
    const older = await cluster.applyPolicy("BackendTrafficPolicy", "a-first", [WEB], settings);
    const younger = await cluster.applyPolicy("BackendTrafficPolicy", "b-second", [WEB], settings);
    try {
      await cluster.condition(older, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      await cluster.condition(younger, "edge", "Accepted", ({ status, reason }) =>
        assert.deepEqual({ status, reason }, { status: "False", reason: "Conflicted" }),
      );
      await cluster.client.remove(older);
      await cluster.condition(younger, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
    } finally {
      for (const policy of [older, younger]) await cluster.client.remove(policy);
    }
  });

  test("what a more specific policy decides is Overridden, each generation anew", async () => {
    const general = await cluster.applyPolicy("BackendTrafficPolicy", "general", [GATEWAY], {
      timeout: { request: "9s" },
    });
    try {
      await cluster.withPolicy("special", route("web"), { timeout: { request: "5s" } }, async () => {
        const isOverridden = ({ status, message }: Judged): void => {
          assert.equal(status, "True");
          assert.match(String(message), /timeout in part by BackendTrafficPolicy policies\/special/);
        };
        await cluster.condition(general, "edge", "Overridden", isOverridden);
        await cluster.applyPolicy("BackendTrafficPolicy", "general", [GATEWAY], { timeout: { request: "8s" } });
        await cluster.condition(general, "edge", "Overridden", isOverridden);
      });
      await cluster.condition(general, "edge", "Overridden", ({ status }) => assert.equal(status, undefined));
    } finally {
      await cluster.client.remove(general);
    }
  });

  test("a target that is not there is named, and the entry goes when the target comes", async () => {
    const targets = [WEB, serviceOf("later")];
    const policy = await cluster.applyPolicy("BackendTrafficPolicy", "early", targets, { timeout: { connect: "1s" } });
    try {
      await cluster.condition(policy, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      await cluster.condition(policy, "later", "Accepted", ({ status, reason }) =>
        assert.deepEqual({ status, reason }, { status: "False", reason: "TargetNotFound" }),
      );
      const later = await cluster.addBackend("later");
      await untilJudged(async () => assert.deepEqual(await cluster.ancestors(policy), ["edge"]));
      await cluster.client.remove(later);
      await cluster.client.remove(object("v1", "Service", "later", {}));
      await untilJudged(async () => assert.deepEqual(await cluster.ancestors(policy), ["edge", "later"]));
    } finally {
      await cluster.client.remove(policy);
    }
  });

  test("a policy that concerns nobody any more has no entry left", async () => {
    const lonely = await cluster.addBackend("lonely");
    const policy = await cluster.applyPolicy("BackendTrafficPolicy", "lonely", [serviceOf("lonely")], {
      timeout: { connect: "1s" },
    });
    try {
      await cluster.condition(policy, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      await cluster.client.remove(lonely);
      await untilJudged(async () => assert.deepEqual(await cluster.ancestors(policy), []));
    } finally {
      await cluster.client.remove(policy);
    }
  });
});

describe("upgrades", () => {
  const apply = ["apply", "--server-side", "--force-conflicts", "-f"];
  const applyOlder = (): Promise<unknown> =>
    cluster.kubectl([...apply, "-"], JSON.stringify(crdWithout("responseOverride")));
  const applyNewer = (): Promise<unknown> => cluster.kubectl([...apply, join(CHART, "crds")]);

  test("a field that comes with newer CRDs is in force after an upgrade, through which older policies stay in force", async () => {
    const tooLate = (): Promise<void> => cluster.untilAll("solo", { path: "/?delay=1s" }, is(504));
    const missing = { path: "/status/404" };
    const settings = { responseOverride: [{ statuses: ["404"], response: { body: "new" } }] };
    const bodiesAre = (wanted: string): Promise<void> =>
      cluster.untilAll("web", missing, ({ body }) => assert.equal(body, wanted));
    const applyNew = (): Promise<KubeObject> =>
      cluster.applyPolicy("BackendTrafficPolicy", "new", [route("web")], settings);
    await cluster.withPolicy("stays", route("solo"), { timeout: { request: "200ms" } }, async () => {
      await tooLate();
      try {
        await applyOlder();
        await untilJudged(() => assert.rejects(applyNew, /not declared in schema/));
        await tooLate();
      } finally {
        await applyNewer();
      }
      const policy = await untilJudged(applyNew);
      await bodiesAre("new");
      // A status that is written after the older CRD is back would store the policy anew, without the field.
      await cluster.condition(policy, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      try {
        await applyOlder();
        await bodiesAre("");
      } finally {
        await applyNewer();
      }
      // Nobody touched the policy meanwhile.
      await bodiesAre("new");
      await tooLate();
      await cluster.client.remove(policy);
    });
    await bodiesAre("");
  });
});
