// Makes the controller do what the official suite does not ask of it: autoscalers, disruption budgets, policies and meshes that it
// judges, and taking away what it made for a Gateway that goes to another class.
import type { Cluster } from "../cluster/cluster.ts";

const NAMESPACE = "rbac";
const TIMEOUT = "--timeout=180s";

/** Resolves when all of it has been done; leaves nothing. */
export async function exercise(cluster: Cluster): Promise<void> {
  const apply = async (text: string): Promise<void> => {
    await cluster.kubectl(["apply", "-f", "-"], { input: text });
  };
  const wait = async (...args: readonly string[]): Promise<void> => {
    await cluster.kubectl(["-n", NAMESPACE, "wait", TIMEOUT, ...args]);
  };
  try {
    await apply(`${OBJECTS}---\n${gateway("sallyport")}---\n${parameters(SCALED)}`);
    const scalers = ["horizontalpodautoscaler/edge-sallyport", "poddisruptionbudget/edge-sallyport"];
    // One by one: asked for several, kubectl gives up at the first that is not there yet.
    for (const object of [...scalers, "service/edge-sallyport"]) await wait("--for=create", object);
    await wait("--for=jsonpath={.status.conditions}", "xmesh/rbac");
    for (const kind of ["xbackendtrafficpolicy", "backendtlspolicy", "backendtrafficpolicy", "clienttrafficpolicy"])
      await wait("--for=jsonpath={.status.ancestors}", `${kind}/policy`);
    // Gateways allow no ListenerSets unless they say so.
    await wait("--for=condition=Accepted=false", "listenerset/more");
    await wait("--for=jsonpath={.status.loadBalancer.ingress}", "ingress/all");
    await apply(parameters("{}"));
    await wait("--for=delete", ...scalers);
    await apply(gateway("rbac-others"));
    const made = ["deployment", "service", "serviceaccount"].map((kind) => `${kind}/edge-sallyport`);
    await wait("--for=delete", ...made, "configmap/edge-sallyport-ca");
  } finally {
    await cluster.kubectl([
      "delete",
      "xmesh/rbac",
      "gatewayclass/rbac-others",
      `namespace/${NAMESPACE}`,
      "--ignore-not-found",
      TIMEOUT,
    ]);
  }
}

const SCALED = "{ autoscaling: { maxReplicas: 2 }, disruptionBudget: { maxUnavailable: 1 } }";

function parameters(spec: string): string {
  return `apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: edge, namespace: ${NAMESPACE} }
spec: ${spec}
`;
}

function gateway(className: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: ${NAMESPACE} }
spec:
  gatewayClassName: ${className}
  infrastructure: { parametersRef: { group: sallyport.io, kind: GatewayParameters, name: edge } }
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`;
}

const OBJECTS = `apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XMesh
metadata: { name: rbac }
spec: { controllerName: sallyport.io/mesh-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: rbac-others }
spec: { controllerName: example.com/others }
---
apiVersion: v1
kind: Service
metadata: { name: none, namespace: ${NAMESPACE} }
spec: { ports: [{ port: 80 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: all, namespace: ${NAMESPACE} }
spec: { parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name: none, port: 80 }] }] }
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackendTrafficPolicy
metadata: { name: policy, namespace: ${NAMESPACE} }
spec:
  targetRefs: [{ group: "", kind: Service, name: none }]
  retryConstraint: { budget: { percent: 20, interval: 10s } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: policy, namespace: ${NAMESPACE} }
spec:
  targetRefs: [{ group: "", kind: Service, name: none }]
  validation: { hostname: none.test, wellKnownCACertificates: System }
---
apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: policy, namespace: ${NAMESPACE} }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }], timeout: { connect: 1s } }
---
apiVersion: policy.sallyport.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: policy, namespace: ${NAMESPACE} }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }], timeout: { idle: 1m } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: more, namespace: ${NAMESPACE} }
spec: { parentRef: { name: edge }, listeners: [{ name: more, port: 81, protocol: HTTP }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: all, namespace: ${NAMESPACE} }
spec: { ingressClassName: sallyport, defaultBackend: { service: { name: none, port: { number: 80 } } } }
`;
