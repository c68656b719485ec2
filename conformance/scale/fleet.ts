// What a large cluster is made of: routes over Gateways and Services, and slices of endpoints that nobody has.
import type { KubeObject } from "../kube-client.ts";

/** How large. */
export interface FleetSize {
  readonly routes: number;
  readonly gateways: number;
  readonly services: number;
  /** EndpointSlices, of ten endpoints each, spread over the Services. */
  readonly slices: number;
}

/** Namespace of everything. */
export const NAMESPACE = "fleet";
const CLASS = "sallyport";
const ENDPOINTS = 10;
const GATEWAY_API = "gateway.networking.k8s.io/v1";

/** Objects in the order in which they are to be written: each list at once, one after the other. */
export function toFleet(size: FleetSize): readonly (readonly KubeObject[])[] {
  return [
    [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
      {
        apiVersion: GATEWAY_API,
        kind: "GatewayClass",
        metadata: { name: CLASS },
        spec: { controllerName: "sallyport.io/gateway-controller" },
      },
    ],
    count(size.gateways, toGateway),
    count(size.services, toService),
    count(size.slices, (index) => toSlice(index, size, [])),
    count(size.routes, (index) => toRoute(index, size)),
  ];
}

/** A Gateway with one listener. */
function toGateway(index: number): KubeObject {
  const listener = { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "Same" } } };
  return {
    apiVersion: GATEWAY_API,
    kind: "Gateway",
    metadata: { name: `gateway-${index}`, namespace: NAMESPACE },
    spec: { gatewayClassName: CLASS, listeners: [listener] },
  };
}

function toService(index: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `service-${index}`, namespace: NAMESPACE },
    spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  };
}

/** A slice; `down` are the endpoints that are not ready. */
export function toSlice(index: number, { services }: FleetSize, down: readonly number[]): KubeObject {
  const service = `service-${index % services}`;
  const labels = { "kubernetes.io/service-name": service };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${service}-${Math.floor(index / services)}`, namespace: NAMESPACE, labels },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: count(ENDPOINTS, (endpoint) => ({
      addresses: [`10.${index >> 8}.${index & 0xff}.${endpoint + 1}`],
      conditions: { ready: !down.includes(endpoint) },
    })),
  };
}

/** Name of a route; what its resource's key begins with. */
export function routeName(index: number): string {
  return `route-${index}`;
}

/** A route with two rules; every Gateway has its share. `version` shows in its rules. */
export function toRoute(index: number, { gateways, services }: FleetSize, version = 0): KubeObject {
  const backend = (offset: number): object => ({ name: `service-${(index + offset) % services}`, port: 80 });
  const header = { name: "x-version", value: String(version) };
  return {
    apiVersion: GATEWAY_API,
    kind: "HTTPRoute",
    metadata: { name: routeName(index), namespace: NAMESPACE },
    spec: {
      parentRefs: [{ name: `gateway-${index % gateways}` }],
      hostnames: [`host-${index}.example.test`],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/api" } }],
          filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [header] } }],
          backendRefs: [backend(0), backend(1)],
        },
        { backendRefs: [backend(2)] },
      ],
    },
  };
}

function count<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
