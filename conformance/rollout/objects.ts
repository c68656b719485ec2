// Objects of the rollout: a Gateway with a route to echo servers, and a policy that tries nothing again, in a namespace of their own.

/** Its namespace. */
export const NAMESPACE = "rollout";

/** All of them, as YAML. Pods serve for some seconds after they are told to end, as good programs do: endpoints are told late. */
export function objects(echoImage: string): string {
  return `apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: ${NAMESPACE} }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: http, port: 80, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: echo, namespace: ${NAMESPACE} }
spec:
  parentRefs: [{ name: edge }]
  hostnames: [rollout.test]
  rules: [{ backendRefs: [{ name: echo, port: 80 }] }]
---
${POLICY}---
apiVersion: v1
kind: Service
metadata: { name: echo, namespace: ${NAMESPACE} }
spec: { selector: { app: echo }, ports: [{ port: 80, targetPort: 3000 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: echo, namespace: ${NAMESPACE} }
spec:
  replicas: 3
  strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  selector: { matchLabels: { app: echo } }
  template:
    metadata: { labels: { app: echo } }
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - name: echo
          image: ${echoImage}
          env: [{ name: NAMESPACE, value: ${NAMESPACE} }]
          lifecycle: { preStop: { sleep: { seconds: 8 } } }
          readinessProbe: { httpGet: { path: /health, port: 3000 }, periodSeconds: 1 }
`;
}

/** Nothing is tried again, so that whatever is lost is seen; limits, checks and ejections are in force while pods come and go. */
const POLICY = `apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: all, namespace: ${NAMESPACE} }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }]
  retry: { attempts: 0 }
  timeout: { connect: 3s, request: 20s }
  loadBalancer: { type: LeastRequest, leastRequest: { slowStart: { window: 5s } } }
  circuitBreaker: { maxConnections: 200, maxParallelRequests: 400 }
  healthCheck:
    active: { type: HTTP, http: { path: /health }, interval: 500ms }
    passive: { consecutiveGatewayErrors: 3 }
`;
