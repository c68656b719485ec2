// The 25 scenarios of the retired suite kubernetes-sigs/ingress-controller-conformance, one test each, on a real cluster:
// requests go from outside to the address in the status of an Ingress. `npm run conformance:ingress` runs them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAuthority } from "@sallyport/testkit/certs";
import { type Answer, ask, askUntil, untilJudged } from "../echo.ts";
import { fieldOf } from "../kube-client.ts";
import { backendOf, IngressCluster, rulesOf, verifyCertificate } from "./cluster.ts";
import { PATH_SCENARIOS } from "./scenarios.ts";

/** Replicas of the load balancing scenario, and how often they are asked. */
const REPLICAS = 10;
const REQUESTS = 100;
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const ANYWHERE = [{ path: "/", type: "Prefix", service: "one" }] as const;

let cluster: IngressCluster;
before(async () => {
  cluster = await IngressCluster.open();
  await Promise.all([
    ...["one", "two", "three"].map((name) => cluster.addService(name)),
    cluster.addService("many", REPLICAS),
  ]);
});
after(() => cluster[Symbol.asyncDispose]());

/** An Ingress for one test; it is gone afterwards. */
async function withIngress(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const ingress = await cluster.addIngress(name, spec);
  try {
    await use(await cluster.addressOf(ingress));
  } finally {
    await cluster.remove(ingress);
  }
}

const servedBy =
  (service: string) =>
  (answer: Answer): void => {
    assert.deepEqual({ status: answer.status, service: answer.service }, { status: 200, service });
  };
const notFound = (answer: Answer): void => {
  assert.deepEqual({ status: answer.status, service: answer.service }, { status: 404, service: undefined });
};

describe("default backend", () => {
  test("an Ingress without rules sends every method and path to its default backend", async () => {
    await withIngress("default-backend", { defaultBackend: backendOf("one") }, async (address) => {
      await askUntil(address, { path: "/", host: "anything.test" }, servedBy("one"));
      for (const method of METHODS) {
        // The echo server says by itself all but who it is.
        const fields = { "x-echo-set-header": "server:echo" };
        const answer = await ask(address, { path: `/any/path/${method}`, host: "other.test", method, fields });
        servedBy("one")(answer);
        assert.equal(answer.method, method);
        assert.equal(answer.httpVersion, "1.1");
        for (const name of ["content-length", "content-type", "date", "server"]) {
          assert.notEqual(answer.headers[name] ?? "", "", `${method}: the response has no ${name}`);
        }
      }
    });
    // It must not answer what comes next, which would be taken for the work of other Ingresses.
    await withIngress("after-default-backend", rulesOf(ANYWHERE, "after.test"), async (address) => {
      await askUntil(address, { host: "anything.test" }, notFound);
    });
  });
});

// Each test has a host of its own: it answers once the Ingress of the test is served, and not by one that is about to go.
describe("host rules", () => {
  test("a host is matched exactly", async () => {
    await withIngress("host-exact", rulesOf(ANYWHERE, "exact.test"), async (address) => {
      await askUntil(address, { host: "exact.test" }, servedBy("one"));
    });
  });

  test("another host than that of the rule is not found", async () => {
    await withIngress("host-other", rulesOf(ANYWHERE, "only.test"), async (address) => {
      await askUntil(address, { host: "only.test" }, servedBy("one"));
      for (const host of ["other.test", "sub.only.test", "test"]) notFound(await ask(address, { host }));
    });
  });

  test("a wildcard matches a host with one label more", async () => {
    await withIngress("wildcard-one", rulesOf(ANYWHERE, "*.wildcard.test"), async (address) => {
      await askUntil(address, { host: "one.wildcard.test" }, servedBy("one"));
    });
  });

  test("a wildcard does not match a host with two labels more", async () => {
    await withIngress("wildcard-two", rulesOf(ANYWHERE, "*.two.test"), async (address) => {
      await askUntil(address, { host: "one.two.test" }, servedBy("one"));
      notFound(await ask(address, { host: "two.one.two.test" }));
    });
  });

  test("a wildcard does not match the host without a label more", async () => {
    await withIngress("wildcard-none", rulesOf(ANYWHERE, "*.none.test"), async (address) => {
      await askUntil(address, { host: "one.none.test" }, servedBy("one"));
      notFound(await ask(address, { host: "none.test" }));
    });
  });

  test("a host with a TLS secret is served with a certificate that names it", async () => {
    const authority = await createAuthority();
    await cluster.addCertificate("secure", await authority.issue({ names: ["secure.test"] }));
    const tls = [{ hosts: ["secure.test"], secretName: "secure" }];
    await withIngress("host-tls", { tls, ...rulesOf(ANYWHERE, "secure.test") }, async (address) => {
      await askUntil(address, { host: "secure.test" }, (answer) => assert.notEqual(answer.status, 404));
      const names = await untilJudged(() => verifyCertificate(address, "secure.test", authority.cert));
      assert.match(names ?? "", /DNS:secure\.test/);
    });
  });
});

describe("path rules", () => {
  for (const [index, { name, rules, cases }] of PATH_SCENARIOS.entries()) {
    test(name, async () => {
      const host = `path-${index}.test`;
      // The last rule tells when the Ingress is served: 404 alone would be what an Ingress that is not served answers.
      const probe = { path: `/served/${index}`, type: "Exact", service: "one" } as const;
      await withIngress(`path-${index}`, rulesOf([...rules, probe], host), async (address) => {
        await askUntil(address, { path: probe.path, host }, (answer) => assert.equal(answer.status, 200));
        for (const { path, service } of cases) {
          const judge = service === undefined ? notFound : servedBy(service);
          judge(await ask(address, { path, host }));
        }
      });
    });
  }
});

describe("ingress class", () => {
  test("an Ingress of another class is neither served nor given an address", async () => {
    const foreign = await cluster.addIngress("foreign", rulesOf(ANYWHERE, "foreign.test"), "some-other-class");
    try {
      await withIngress("ours", rulesOf(ANYWHERE, "ours.test"), async (address) => {
        await askUntil(address, { host: "ours.test" }, servedBy("one"));
        notFound(await ask(address, { host: "foreign.test" }));
      });
      const live = await cluster.client.read(foreign);
      assert.equal(fieldOf(live, "status", "loadBalancer", "ingress"), undefined);
    } finally {
      await cluster.remove(foreign);
    }
  });
});

describe("load balancing", () => {
  test(`${REQUESTS} requests reach all of ${REPLICAS} pods`, async () => {
    const rules = rulesOf([{ path: "/", type: "Prefix", service: "many" }], "many.test");
    await withIngress("many", rules, async (address) => {
      await askUntil(address, { host: "many.test" }, servedBy("many"));
      // Pods are endpoints a moment after they are ready.
      await untilJudged(async () => {
        const pods = new Set<string>();
        for (let sent = 0; sent < REQUESTS; sent++) {
          const answer = await ask(address, { host: "many.test" });
          servedBy("many")(answer);
          pods.add(answer.pod ?? "");
        }
        assert.equal(pods.size, REPLICAS);
      });
    });
  });
});
