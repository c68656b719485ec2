// A cluster of processes is a real one: what pods, Services and the tools of operators need works, and nothing stays behind.
// Needs root and Go: `npm run conformance:tests -- conformance/cluster`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Cluster, MACHINE_IMAGE, startCluster } from "./cluster.ts";
import { CURL } from "./commands.ts";
import { addFakeEndpoints, addFakeNodes } from "./fake-nodes.ts";
import { pathsOf } from "./state.ts";

/** The clusters of these tests; there may be others on the machine. */
const NAMES = ["test", "test-2"];
/** Of kubectl's own waits. */
const TIMEOUT = "--timeout=180s";

const WEB = `
apiVersion: v1
kind: ConfigMap
metadata: { name: pages }
data: { index.html: "hello from a pod" }
---
apiVersion: v1
kind: Secret
metadata: { name: password }
stringData: { value: "s3cret" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 5
      securityContext: { runAsUser: 65532, runAsGroup: 65532, runAsNonRoot: true, fsGroup: 65532 }
      containers:
        - name: web
          image: ${MACHINE_IMAGE}
          command: [python3, -m, http.server, "8080", --directory, /pages]
          env:
            - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
            - { name: NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
            - { name: PYTHONUNBUFFERED, value: "1" }
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
          livenessProbe: { exec: { command: [test, -f, /pages/index.html] }, periodSeconds: 2 }
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: pages, mountPath: /pages }
            - { name: password, mountPath: /var/password, readOnly: true }
            - { name: scratch, mountPath: /scratch }
            - { name: token, mountPath: /var/run/secrets/test }
      volumes:
        - { name: pages, configMap: { name: pages } }
        - { name: password, secret: { secretName: password } }
        - { name: scratch, emptyDir: { medium: Memory } }
        - name: token
          projected: { sources: [{ serviceAccountToken: { path: token, audience: test, expirationSeconds: 3600 } }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: LoadBalancer
  selector: { app: web }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: datagrams, port: 80, targetPort: 8080, protocol: UDP }
`;

/** A Service without pods that asks for an address. */
function balancer(name: string, fields: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, ports: [{ port: 80 }], ${fields} }
---`;
}

/** What a cluster could leave on the machine. */
function traces(): Record<string, string | string[]> {
  return {
    mounts: readFileSync("/proc/self/mountinfo", "utf8"),
    links: execFileSync("ip", ["-o", "link"], { encoding: "utf8" }).replaceAll(/ group default.*/g, ""),
    namespaces: execFileSync("ip", ["netns", "list"], { encoding: "utf8" }),
    processes: execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => NAMES.some((name) => line.includes(pathsOf(name).directory))),
    settings: execFileSync("sysctl", ["vm.overcommit_memory", "kernel.panic", "net.ipv4.ip_forward"], {
      encoding: "utf8",
    }),
  };
}

describe("a cluster of processes", () => {
  const atFirst = traces();
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ name: "test" });
    await cluster.kubectl(["apply", "-f", "-"], { input: WEB });
    await cluster.kubectl(["rollout", "status", "deployment/web", TIMEOUT]);
    await cluster.kubectl(["wait", "--for=jsonpath={.status.loadBalancer.ingress}", "service/web", TIMEOUT]);
  });

  after(async () => {
    await cluster.down();
    assert.deepEqual(traces(), atFirst);
    assert.equal(existsSync(pathsOf("test").directory), false);
  });

  const address = (service: string): Promise<string> =>
    cluster.kubectl(["get", "service", service, "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}"]);
  const inPod = (...argv: string[]): Promise<string> => cluster.kubectl(["exec", "deployment/web", "--", ...argv]);

  it("serves a load balancer's address to a client outside, to nodes and to pods", async () => {
    const url = `http://${await address("web")}/`;
    assert.equal((await cluster.runOutside([...CURL, url])).stdout, "hello from a pod");
    assert.equal((await cluster.runInside([...CURL, url])).stdout, "hello from a pod");
    assert.equal(await inPod(...CURL, url), "hello from a pod");
  });

  it("resolves Services by name in pods", async () => {
    assert.equal(await inPod(...CURL, "http://web.default.svc.cluster.local/"), "hello from a pod");
  });

  it("runs containers as the user they name, without capabilities, on a root that cannot be written", async () => {
    assert.match(await inPod("id"), /^uid=65532.* gid=65532/);
    assert.match(await inPod("cat", "/proc/1/status"), /^CapBnd:\s0{16}$/m);
    assert.match(await inPod("cat", "/proc/1/status"), /^NoNewPrivs:\s1$/m);
    await assert.rejects(inPod("touch", "/etc/new"), /Read-only file system/);
    await inPod("touch", "/scratch/new");
    assert.match(await inPod("stat", "-f", "-c", "%T", "/scratch"), /tmpfs/);
  });

  it("gives containers their secrets, tokens and what the downward API knows", async () => {
    assert.equal(await inPod("cat", "/var/password/value"), "s3cret");
    assert.equal((await inPod("cat", "/var/run/secrets/test/token")).split(".").length, 3);
    const names = await cluster.kubectl(["get", "pods", "-l", "app=web", "-o", "name"]);
    assert.ok(names.includes((await inPod("printenv", "POD_NAME")).trim()));
    assert.equal((await inPod("printenv", "NODE_NAME")).trim(), "node1");
  });

  it("passes on the exit code of a command, and what a container printed", async () => {
    await assert.rejects(inPod("sh", "-c", "exit 7"), /exit code 7/);
    assert.match(await cluster.kubectl(["logs", "deployment/web"]), /GET \/ HTTP/);
  });

  it("starts a container again that ends, with its code in the status", async () => {
    const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"short"},"spec":{"containers":[{"name":"c",
      "image":"${MACHINE_IMAGE}","command":["sh","-c","exit 3"]}]}}`;
    await cluster.kubectl(["apply", "-f", "-"], { input: pod });
    // Once told, it stays; the count of restarts goes on.
    const code = "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}";
    await cluster.kubectl(["wait", `--for=${code}=3`, "pod/short", TIMEOUT]);
    await cluster.kubectl(["delete", "pod/short", TIMEOUT]);
  });

  it("lets a container end by SIGTERM, within its grace period", async () => {
    // Before its trap is set, a first process hears no SIGTERM.
    const script = "trap 'echo bye > /dev/termination-log; exit 0' TERM; touch /trapped; while :; do sleep 0.1; done";
    const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"polite"},"spec":{"containers":[{"name":"c",
      "image":"${MACHINE_IMAGE}","command":["sh","-c","${script}"],
      "readinessProbe":{"exec":{"command":["test","-f","/trapped"]},"periodSeconds":1}}]}}`;
    await cluster.kubectl(["apply", "-f", "-"], { input: pod });
    await cluster.kubectl(["wait", "--for=condition=Ready", "pod/polite", TIMEOUT]);
    const began = performance.now();
    await cluster.kubectl(["delete", "pod/polite", "--grace-period=120", TIMEOUT]);
    assert.ok(performance.now() - began < 60_000, "it was killed at the end of its grace period");
  });

  it("gives the address a Service asks for, never one that is taken or not its own to give", async () => {
    const services = [
      balancer("wanted", "loadBalancerIP: 10.98.0.77"),
      balancer("foreign", "loadBalancerIP: 192.0.2.1"),
      balancer("other-class", "loadBalancerClass: example.com/other"),
    ];
    await cluster.kubectl(["apply", "-f", "-"], { input: services.join("") });
    await cluster.kubectl(["wait", "--for=jsonpath={.status.loadBalancer.ingress}", "service/wanted", TIMEOUT]);
    assert.equal(await address("wanted"), "10.98.0.77");
    // Whoever comes later has been looked at after these.
    await cluster.kubectl(["apply", "-f", "-"], {
      input: balancer("taken", "loadBalancerIP: 10.98.0.77") + balancer("last", ""),
    });
    await cluster.kubectl(["wait", "--for=jsonpath={.status.loadBalancer.ingress}", "service/last", TIMEOUT]);
    assert.equal(await address("foreign"), "");
    assert.equal(await address("other-class"), "");
    assert.equal(await address("taken"), "");
    await cluster.kubectl(["delete", "service/wanted"]);
    await cluster.kubectl(["wait", "--for=jsonpath={.status.loadBalancer.ingress}", "service/taken", TIMEOUT]);
    assert.equal(await address("taken"), "10.98.0.77");
  });

  it("takes nodes and endpoints that exist as objects only", async () => {
    await cluster.kubectl(["create", "service", "clusterip", "large", "--clusterip=None", "--tcp=80"]);
    await cluster.kubectl(["patch", "service", "large", "-p", '{"spec":{"selector":null}}']);
    const nodes = await addFakeNodes(cluster, 6);
    await addFakeEndpoints(cluster, { namespace: "default", service: "large", count: 250, port: 8080, nodes });
    const query = ["-l", "kubernetes.io/service-name=large", "-o", "jsonpath={.items[*].endpoints[*].zone}"];
    const zones = (await cluster.kubectl(["get", "endpointslices", ...query])).split(" ");
    assert.deepEqual([zones.length, new Set(zones).size], [250, 3]);
    const unscheduled = "jsonpath={.items[*].spec.nodeName}";
    assert.doesNotMatch(await cluster.kubectl(["get", "pods", "-A", "-o", unscheduled]), /fake/);
  });

  it("runs beside another cluster, of two nodes, whose pods reach each other", async () => {
    const other = await startCluster({ name: "test-2", nodes: 2 });
    try {
      const spread = WEB.replace(
        "terminationGracePeriodSeconds: 5",
        `terminationGracePeriodSeconds: 5
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: web } } }`,
      );
      await other.kubectl(["apply", "-f", "-"], { input: spread });
      await other.kubectl(["rollout", "status", "deployment/web", TIMEOUT]);
      const found = await other.kubectl([
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        "jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name} {.status.podIP}{'\\n'}{end}",
      ]);
      const pods = found
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      assert.deepEqual(new Set(pods.map(([node]) => node)), new Set(["node1", "node2"]));
      for (const [, from = ""] of pods) {
        for (const [, , to = ""] of pods) {
          const answer = await other.kubectl(["exec", from, "--", ...CURL, `http://${to}:8080/`]);
          assert.equal(answer, "hello from a pod");
        }
      }
      assert.doesNotMatch(await cluster.kubectl(["get", "nodes", "-o", "name"]), /node2/);
    } finally {
      await other.down();
    }
  });

  it("refuses a second cluster of the same name", async () => {
    await assert.rejects(startCluster({ name: "test" }), /the cluster test is up already/);
  });
});
