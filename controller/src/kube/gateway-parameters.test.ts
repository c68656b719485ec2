import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "./decode.ts";

/** Messages of what is wrong with parameters of this spec. */
async function complain(spec: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const raw = { metadata: { name: "large", namespace: "shop" }, spec: structuredClone(spec) };
  const { issues } = await decodeObject("GatewayParameters", raw, "strict");
  return issues.map(({ message }) => message);
}

test("what parameters say is kept as it is, foreign parts too, and nothing is added", async () => {
  const spec = {
    deployment: {
      resources: { requests: { cpu: 2, memory: "1Gi" } },
      affinity: { nodeAffinity: { anything: [{ weight: 1 }] } },
      env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
    },
    autoscaling: { maxReplicas: 3, behavior: { scaleUp: { stabilizationWindowSeconds: 1 } } },
    disruptionBudget: { maxUnavailable: "25%" },
  };
  const raw = { metadata: { name: "large", namespace: "shop" }, spec: structuredClone(spec) };
  const { object, issues } = await decodeObject("GatewayParameters", raw, "strict");
  assert.deepEqual(issues, []);
  assert.deepEqual(object?.spec, spec);
});

test("fields that exclude each other are refused together", async () => {
  const wrong: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ deployment: { replicas: 2 }, autoscaling: { maxReplicas: 3 } }, /replicas is the autoscaler's to say/],
    [{ disruptionBudget: { minAvailable: 1, maxUnavailable: 1 } }, /exactly one of minAvailable and maxUnavailable/],
    [{ disruptionBudget: {} }, /exactly one of minAvailable and maxUnavailable/],
    [{ autoscaling: { minReplicas: 4, maxReplicas: 3 } }, /minReplicas must not be more than maxReplicas/],
    [{ deployment: { minDrain: "2m", maxDrain: "30s" } }, /minDrain must not be longer than maxDrain/],
    [{ deployment: { env: [{ name: "A", value: "b", valueFrom: {} }] } }, /value and valueFrom exclude each other/],
    [{ deployment: { env: [{ name: "NODE_NAME", value: "b" }] } }, /POD_NAME and NODE_NAME are set already/],
    [{ service: { type: "ClusterIP", externalTrafficPolicy: "Local" } }, /externalTrafficPolicy is for the types/],
    [{ service: { type: "NodePort", loadBalancerClass: "a.example/b" } }, /loadBalancerClass is for type LoadBalancer/],
  ];
  for (const [spec, message] of wrong) {
    const messages = await complain(spec);
    assert.equal(messages.length, 1, JSON.stringify(spec));
    assert.match(messages[0] ?? "", message);
  }
});

test("a field that does not exist is refused in a file", async () => {
  assert.match((await complain({ deployment: { replica: 2 } })).join(), /replica/);
});
