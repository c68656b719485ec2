// What the tests of policies stand on: a namespace with a Gateway of two proxies, echo servers behind routes, and policies that
// live as long as a test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { findCluster } from "../cluster/cluster.ts";
import { type Answer, ask, echoPod, type Question, untilJudged } from "../echo.ts";
import { CHART } from "../helm/helm.ts";
import { fieldOf, KubeClient, type KubeObject } from "../kube-client.ts";

/** Namespace of all that the tests make. */
const NAMESPACE = "policies";
/** Image of pods that answer everything with 500. */
export const ILL_IMAGE = "sallyport.test/ill";
/**
 * Answers in a row that must be right. Each comes on a connection of its own, for which the load balancer chooses a proxy by chance: so many
 * leave out the one of two that lags behind once in a million times.
 */
const IN_A_ROW = 20;
/** Group of the kinds under test. */
const GROUP = "policy.sallyport.io/v1alpha1";
const GATEWAY_API = "gateway.networking.k8s.io";

/** Target of a policy. */
export interface Target {
  readonly kind: "Gateway" | "HTTPRoute" | "Service";
  readonly name: string;
}

/** What a policy says, but for its targets. */
export type Settings = Readonly<Record<string, unknown>>;

/** One condition as a test compares it. */
export interface Judged {
  readonly status: unknown;
  readonly reason: unknown;
  readonly message: unknown;
}

/** A cluster in which policies are tried. */
export class PolicyCluster implements AsyncDisposable {
  readonly client: KubeClient;
  /** Of the Gateway `edge`. */
  #address = "";

  private constructor(client: KubeClient) {
    this.client = client;
  }

  /** By the kubeconfig that the environment names; resolves when both proxies of the Gateway serve. */
  static async open(): Promise<PolicyCluster> {
    const cluster = new PolicyCluster(KubeClient.ofEnvironment("npm run conformance:policies"));
    await cluster.#bringUp();
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.remove(NAMESPACE_OBJECT);
    this.client[Symbol.dispose]();
  }

  async #bringUp(): Promise<void> {
    await this.client.renewNamespace(NAMESPACE);
    const listeners = [{ name: "http", port: 80, protocol: "HTTP" }];
    const gateway = object(`${GATEWAY_API}/v1`, "Gateway", "edge", { gatewayClassName: "sallyport", listeners });
    await this.client.apply(gateway);
    await Promise.all([
      this.addDeployment("web", 3, echoPod("web")),
      this.addDeployment("solo", 1, echoPod("solo")),
      this.addDeployment("well", 2, echoPod("mixed")),
      this.addDeployment("ill", 1, illPod("mixed")),
    ]);
    for (const name of ["web", "solo", "mixed"]) await this.addBackend(name);
    this.#address = await this.client.waitFor(gateway, "the Gateway's address", (live) => {
      const address = fieldOf(live, "status", "addresses", 0, "value");
      return typeof address === "string" && isTrue(live, "Programmed") ? address : undefined;
    });
    const proxies = object("apps/v1", "Deployment", "edge-sallyport", {});
    await this.client.waitFor(proxies, "two proxies", (live) =>
      fieldOf(live, "status", "readyReplicas") === 2 ? true : undefined,
    );
    for (const host of ["web", "solo"]) await this.untilAll(host, {}, ({ status }) => assert.equal(status, 200));
  }

  /** Pods of the template; resolves when all are ready. */
  async addDeployment(name: string, replicas: number, template: Settings): Promise<void> {
    const matchLabels = { ...labelsOf(template), track: name };
    const withTrack = { ...template, metadata: { labels: matchLabels } };
    const deployment = object("apps/v1", "Deployment", name, {
      ...{ replicas, selector: { matchLabels }, template: withTrack },
    });
    await this.client.apply(deployment);
    await this.client.waitFor(deployment, `pods of ${name}`, (live) =>
      fieldOf(live, "status", "readyReplicas") === replicas ? true : undefined,
    );
  }

  /** A Service of the pods that have this label, and a route to it with the host NAME.test; `rule` has more of its rule. */
  async addBackend(name: string, rule: Settings = {}, service = name): Promise<KubeObject> {
    await this.client.apply(
      object("v1", "Service", service, { selector: { app: service }, ports: [{ port: 80, targetPort: 3000 }] }),
    );
    const route = object(`${GATEWAY_API}/v1`, "HTTPRoute", name, {
      parentRefs: [{ name: "edge" }],
      hostnames: [`${name}.test`],
      rules: [{ ...rule, backendRefs: [{ name: service, port: 80 }] }],
    });
    await this.client.apply(route);
    return route;
  }

  /** Makes or changes a policy, and leaves it. */
  async applyPolicy(
    kind: PolicyKind,
    name: string,
    targets: readonly Target[],
    settings: Settings,
  ): Promise<KubeObject> {
    const targetRefs = targets.map((target) => ({ group: target.kind === "Service" ? "" : GATEWAY_API, ...target }));
    const policy = object(GROUP, kind, name, { targetRefs, ...settings });
    await this.client.apply(policy);
    return policy;
  }

  /** A BackendTrafficPolicy while it is used; resolves when it is deleted. */
  async withPolicy(name: string, target: Target, settings: Settings, use: () => Promise<void>): Promise<void> {
    const policy = await this.applyPolicy("BackendTrafficPolicy", name, [target], settings);
    try {
      await this.condition(policy, "edge", "Accepted", ({ status }) => assert.equal(status, "True"));
      await use();
    } finally {
      await this.client.remove(policy);
    }
  }

  /** Waits until `judge` does not throw for a condition that was told of the policy as it is; undefined where there is none. */
  async condition(
    policy: KubeObject,
    ancestor: string,
    type: "Accepted" | "Overridden",
    judge: (condition: Judged) => void,
  ): Promise<void> {
    await untilJudged(async () => {
      const live = await this.client.read(policy);
      const entry = listOf(live, "status", "ancestors").find((one) => fieldOf(one, "ancestorRef", "name") === ancestor);
      const conditions = listOf(entry, "conditions");
      const told = `of ${policy.metadata.name} is told ${JSON.stringify(fieldOf(live, "status"))}`;
      const generations = conditions.map((one) => fieldOf(one, "observedGeneration"));
      assert.ok(conditions.length > 0, told);
      assert.deepEqual(new Set(generations), new Set([fieldOf(live, "metadata", "generation")]), told);
      const found = conditions.find((one) => fieldOf(one, "type") === type);
      judge({
        status: fieldOf(found, "status"),
        reason: fieldOf(found, "reason"),
        message: fieldOf(found, "message"),
      });
    });
  }

  /** Names of all that a policy's status has an entry for. */
  async ancestors(policy: KubeObject): Promise<readonly unknown[]> {
    const live = await this.client.read(policy);
    return listOf(live, "status", "ancestors").map((one) => fieldOf(one, "ancestorRef", "name"));
  }

  /** Asks the host `NAME.test` by the load balancer, which chooses a proxy for each connection. */
  ask(name: string, question: Question = {}): Promise<Answer> {
    return ask(this.#address, { host: `${name}.test`, ...question });
  }

  /** Asks until so many answers in a row are as `judge` wants them; a function makes each question anew. */
  async untilAll(name: string, question: Question | (() => Question), judge: (answer: Answer) => void): Promise<void> {
    await untilJudged(async () => {
      for (let asked = 0; asked < IN_A_ROW; asked++) {
        judge(await this.ask(name, typeof question === "function" ? question() : question));
      }
    });
  }

  /** Requests that each proxy has served, by its own metrics. */
  async servedByProxies(): Promise<readonly number[]> {
    const pods = await this.proxies();
    return Promise.all(
      pods.map(async (pod) => {
        const text = await this.client.text(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}:15020/proxy/metrics`);
        const values = text.matchAll(/^sallyport_http_requests_total(?:\{.*\})? (\d+)/gm);
        return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
      }),
    );
  }

  /** Names of the pods of the Gateway's proxies. */
  async proxies(): Promise<readonly string[]> {
    const query = "labelSelector=gateway.networking.k8s.io/gateway-name%3Dedge";
    const pods = await this.client.list(`/api/v1/namespaces/${NAMESPACE}/pods?${query}`);
    return pods.map(({ metadata }) => metadata.name);
  }

  /** Runs kubectl; resolves with what it prints. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return findCluster(process.env["CLUSTER"]).kubectl(args, input === undefined ? {} : { input });
  }
}

type PolicyKind = "BackendTrafficPolicy" | "ClientTrafficPolicy";

const NAMESPACE_OBJECT: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };

/** An object of the tests' namespace. */
export function object(apiVersion: string, kind: string, name: string, spec: Settings): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec };
}

/** The echo server that goes on for some seconds after it was told to end, and is terminating and serving then. */
export function lingeringPod(name: string, seconds: number): Settings {
  const pod = echoPod(name);
  const containers = listOf(pod, "spec", "containers").map((container) => ({
    ...container,
    lifecycle: { preStop: { sleep: { seconds } } },
  }));
  return { ...pod, spec: { terminationGracePeriodSeconds: seconds + 2, containers } };
}

/** The CRD of BackendTrafficPolicy as it was before a field of `spec` came. */
export function crdWithout(field: string): unknown {
  const file = join(CHART, "crds/policy.sallyport.io_backendtrafficpolicies.yaml");
  const crd: unknown = parse(readFileSync(file, "utf8"));
  const schema = fieldOf(crd, "spec", "versions", 0, "schema", "openAPIV3Schema");
  const fields = fieldOf(schema, "properties", "spec", "properties");
  assert.ok(typeof fields === "object" && fields !== null && Reflect.deleteProperty(fields, field));
  return crd;
}

function illPod(name: string): Settings {
  const readinessProbe = { tcpSocket: { port: 3000 }, periodSeconds: 1 };
  const containers = [{ name: "ill", image: ILL_IMAGE, imagePullPolicy: "IfNotPresent", readinessProbe }];
  return { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers } };
}

function labelsOf(template: Settings): Settings {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- templates of this suite have labels
  return fieldOf(template, "metadata", "labels") as Settings;
}

function isTrue(live: KubeObject, type: string): boolean {
  const condition = listOf(live, "status", "conditions").find((one) => fieldOf(one, "type") === type);
  return fieldOf(condition, "status") === "True";
}

function listOf(value: unknown, ...path: readonly (string | number)[]): readonly Settings[] {
  const found = fieldOf(value, ...path);
  return Array.isArray(found) ? (found as readonly Settings[]) : [];
}
