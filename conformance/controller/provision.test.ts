// What the controller makes of Gateways in a real cluster: objects appear, come back, change with their parameters and go with
// their Gateway; what is somebody else's stays. Needs root and Go: `npm run conformance:tests -- conformance/controller`.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { CURL } from "../cluster/commands.ts";
import { ControllerRig } from "./controller-rig.ts";

const CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport }
spec: { controllerName: sallyport.io/gateway-controller }
`;

function gateway(name: string, spec = ""): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: shop }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: http, port: 80, protocol: HTTP }]
  ${spec}
`;
}

function parameters(name: string, spec: string): string {
  return `
apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;
}

const tuned = (name: string): string =>
  `infrastructure: { parametersRef: { group: sallyport.io, kind: GatewayParameters, name: ${name} } }`;

const PROGRAMMED = "{.status.conditions[?(@.type=='Programmed')].message}";
const REASON = "{.status.conditions[?(@.type=='Programmed')].reason}";
const KINDS = "serviceaccounts,configmaps,services,deployments,horizontalpodautoscalers,poddisruptionbudgets";

describe("provisioning", () => {
  let rig: ControllerRig;
  before(async () => {
    rig = await ControllerRig.start();
    await rig.apply("apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }");
    await rig.apply(CLASS);
  });
  afterEach((t) => {
    if ("passed" in t && !t.passed) console.log(rig.lastWords);
  });
  after(() => rig[Symbol.asyncDispose]());

  it("makes everything that proxies need, with an address, and serves", async () => {
    await rig.apply(
      gateway("edge", "infrastructure: { labels: { team: edge }, annotations: { example.com/owner: ada } }"),
    );
    await rig.wait("condition=Programmed", "gateway/edge");
    const made = await rig.list(KINDS, "gateway.networking.k8s.io/gateway-name=edge");
    assert.deepEqual(
      made.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      [
        "ServiceAccount edge-sallyport",
        "ConfigMap edge-sallyport-ca",
        "Service edge-sallyport",
        "Deployment edge-sallyport",
      ],
    );
    for (const { metadata } of made) {
      assert.equal(metadata.labels?.["team"], "edge");
      assert.equal(metadata.annotations?.["example.com/owner"], "ada");
    }
    const pods = await rig.list("pods", "gateway.networking.k8s.io/gateway-name=edge");
    assert.equal(pods[0]?.metadata.labels?.["team"], "edge");
    const address = await rig.read("gateway/edge", "{.status.addresses[0].value}");
    const url = `http://${address}/`;
    const answer = await rig.cluster.runOutside([...CURL, "-o", "/dev/null", "-w", "%{http_code}", url]);
    assert.equal(answer.stdout, "404", `no route, and a proxy that says so: ${answer.stderr}`);
  });

  it("makes a deleted Service anew, and takes back a label that somebody removed", async () => {
    const before_ = await rig.read("service/edge-sallyport", "{.metadata.uid}");
    await rig.kubectl("delete", "service/edge-sallyport", "--wait=true");
    await rig.wait("create", "service/edge-sallyport");
    assert.notEqual(await rig.read("service/edge-sallyport", "{.metadata.uid}"), before_);
    await rig.kubectl("label", "deployment/edge-sallyport", "app.kubernetes.io/managed-by-", "team-");
    await rig.wait("jsonpath={.metadata.labels.team}=edge", "deployment/edge-sallyport");
  });

  it("leaves replicas to people unless parameters say how many", async () => {
    await rig.kubectl("scale", "deployment/edge-sallyport", "--replicas=2");
    await rig.kubectl("label", "deployment/edge-sallyport", "--overwrite", "team=theirs");
    await rig.wait("jsonpath={.metadata.labels.team}=edge", "deployment/edge-sallyport");
    assert.equal(await rig.read("deployment/edge-sallyport", "{.spec.replicas}"), "2");
    await rig.apply(parameters("fixed", "{ deployment: { replicas: 1 } }"));
    await rig.apply(gateway("steady", tuned("fixed")));
    await rig.wait("create", "deployment/steady-sallyport");
    await rig.kubectl("scale", "deployment/steady-sallyport", "--replicas=3");
    await rig.wait("jsonpath={.spec.replicas}=1", "deployment/steady-sallyport");
  });

  it("makes autoscaler and budget by parameters, keeps replicas as they are, and deletes both without them", async () => {
    await rig.apply(parameters("scaled", "{ deployment: { replicas: 2 } }"));
    await rig.apply(gateway("scaled", tuned("scaled")));
    await rig.wait("create", "deployment/scaled-sallyport");
    assert.equal(await rig.read("deployment/scaled-sallyport", "{.spec.replicas}"), "2");
    await rig.apply(
      parameters(
        "scaled",
        "{ autoscaling: { minReplicas: 2, maxReplicas: 4 }, disruptionBudget: { minAvailable: 1 } }",
      ),
    );
    await rig.wait("create", "horizontalpodautoscaler/scaled-sallyport", "poddisruptionbudget/scaled-sallyport");
    assert.equal(await rig.read("deployment/scaled-sallyport", "{.spec.replicas}"), "2");
    await rig.apply(parameters("scaled", "{ deployment: { workers: 1 } }"));
    await rig.wait("delete", "horizontalpodautoscaler/scaled-sallyport", "poddisruptionbudget/scaled-sallyport");
  });

  it("keeps an address whose Gateway serves nothing for a while", async () => {
    const uid = await rig.read("service/scaled-sallyport", "{.metadata.uid}");
    await rig.apply(gateway("scaled", tuned("missing")));
    await rig.wait("condition=Accepted=false", "gateway/scaled");
    await rig.apply(gateway("scaled", tuned("scaled")));
    await rig.wait("condition=Accepted", "gateway/scaled");
    assert.equal(await rig.read("service/scaled-sallyport", "{.metadata.uid}"), uid);
  });

  it("takes over nothing that is somebody else's, says so, and goes on once it is out of the way", async () => {
    await rig.kubectl("create", "deployment", "taken-sallyport", "--image=machine");
    await rig.apply(gateway("taken"));
    const refusal = /Deployment shop\/taken-sallyport exists already and was not made by this controller/;
    await rig.untilTold("gateway/taken", PROGRAMMED, refusal);
    assert.equal(await rig.read("gateway/taken", REASON), "NoResources");
    assert.equal(await rig.read("deployment/taken-sallyport", "{.metadata.ownerReferences}"), "");
    await rig.kubectl("delete", "deployment/taken-sallyport");
    await rig.wait("condition=Programmed", "gateway/taken");
  });

  it("tells in the status what a quota does not allow", async () => {
    const probe = ["service", "loadbalancer", "probe", "--tcp=80"];
    await rig.withQuota("services.loadbalancers=0", probe, async () => {
      await rig.apply(gateway("refused"));
      await rig.untilTold("gateway/refused", PROGRAMMED, /Service shop\/refused-sallyport: .*exceeded quota: probed/);
      assert.equal(await rig.read("gateway/refused", REASON), "NoResources");
      await rig.kubectl("delete", "gateway/refused");
    });
  });

  it("tells in the status who refuses its pods", async () => {
    const probe = ["job", "probe", "--image=machine"];
    await rig.withQuota("pods=0,count/jobs.batch=0", probe, async () => {
      await rig.apply(gateway("poor"));
      const failed = "jsonpath={.status.conditions[?(@.type=='ReplicaFailure')].status}=True";
      await rig.wait("create", "deployment/poor-sallyport");
      await rig.wait(failed, "deployment/poor-sallyport");
      await rig.untilTold(
        "gateway/poor",
        PROGRAMMED,
        /the pods of Deployment shop\/poor-sallyport do not come up: FailedCreate: .*exceeded quota: probed/,
      );
      await rig.kubectl("delete", "gateway/poor");
    });
  });

  it("makes nothing anew while a namespace ends", async () => {
    const there = ["-n", "ending"];
    await rig.apply("apiVersion: v1\nkind: Namespace\nmetadata: { name: ending }");
    await rig.apply(gateway("first").replace("namespace: shop", "namespace: ending"));
    await rig.cluster.kubectl([...there, "wait", "--for=condition=Programmed", "--timeout=180s", "gateway/first"]);
    await rig.cluster.kubectl(["delete", "namespace", "ending", "--wait=false"]);
    const made = ["deployment/first-sallyport", "service/first-sallyport", "serviceaccount/first-sallyport"];
    await rig.cluster.kubectl([...there, "wait", "--for=delete", "--timeout=180s", ...made, "gateway/first"]);
    assert.doesNotMatch(rig.said, /cannot be had.*ending/);
  });

  it("has Services of the class and with the policy of the parameters, whose health port answers", async () => {
    await rig.apply(parameters("local", "{ service: { externalTrafficPolicy: Local } }"));
    await rig.apply(gateway("local", tuned("local")));
    await rig.wait("condition=Programmed", "gateway/local");
    const port = await rig.read("service/local-sallyport", "{.spec.healthCheckNodePort}");
    const node = await rig.kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}");
    const health = await rig.cluster.runInside([...CURL, "--fail", `http://${node}:${port}/`]);
    assert.match(health.stdout, /"localEndpoints": 1/, health.stderr);
    await rig.apply(parameters("classed", "{ service: { loadBalancerClass: example.com/none } }"));
    await rig.apply(gateway("classed", tuned("classed")));
    await rig.wait("create", "service/classed-sallyport");
    assert.equal(await rig.read("service/classed-sallyport", "{.spec.loadBalancerClass}"), "example.com/none");
  });

  it("has proxies for Ingresses as long as there is a class of ours", async () => {
    const place = ["-n", rig.namespace];
    await rig.apply(
      "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: sallyport }\nspec: { controller: sallyport.io/ingress-controller }",
    );
    await rig.apply(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: all, namespace: shop }
spec: { ingressClassName: sallyport, defaultBackend: { service: { name: edge-sallyport, port: { number: 80 } } } }
`);
    await rig.wait("create", "deployment/sallyport-ingress", "service/sallyport-ingress", ...place);
    await rig.kubectl("delete", "ingressclass/sallyport");
    await rig.wait("delete", "deployment/sallyport-ingress", "service/sallyport-ingress", ...place);
  });

  it("leaves nothing behind when a Gateway is deleted", async () => {
    await rig.kubectl("delete", "gateways", "--all", "--cascade=foreground", "--wait=true");
    // What the garbage collector had not heard of when the Gateway went, it deletes a moment later.
    await rig.untilNone(KINDS, "app.kubernetes.io/managed-by=sallyport-controller");
  });
});
