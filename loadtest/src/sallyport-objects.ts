// Writes the Kubernetes objects that Sallyport serves during a measurement, one directory of YAML.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { frontTraits, type Front } from "./peers/peer.ts";
import type { CertificateFiles } from "./tls/certificate.ts";

/** Size of the many-routes configuration. */
export const manyRoutes = { hosts: 1000, pathsPerHost: 10 } as const;

/** What the objects say. */
export interface ObjectSetup {
  /** The port of the one listener. */
  readonly port: number;
  readonly backendPort: number;
  /** Default: plain HTTP. */
  readonly front?: Front;
  /** What a listener with TLS presents. */
  readonly certificate?: CertificateFiles;
  readonly routes: "one" | "many";
  /** Default: none. */
  readonly policies?: "off" | "on";
}

/** Fills the directory: class, Gateway, Service, and one route for everything or ten thousand HTTPRoutes. */
export function writeObjects(directory: string, setup: ObjectSetup): void {
  const { front = "http", port, backendPort, certificate } = setup;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "gateway.yaml"), documents([gatewayClass(), gateway(port, front)]));
  writeFileSync(join(directory, "service.yaml"), documents([service("backend", [backendPort], front)]));
  if (frontTraits[front].tls === "on") {
    if (certificate === undefined) throw new Error("a listener with TLS needs a certificate");
    writeFileSync(join(directory, "certificate.yaml"), documents([certificateSecret(certificate)]));
  }
  if (setup.policies === "on") writeFileSync(join(directory, "policy.yaml"), trafficPolicy);
  if (setup.routes === "one") {
    writeFileSync(join(directory, "route.yaml"), documents([routeForAll(front)]));
    return;
  }
  const hostsPerFile = 50;
  for (let first = 0; first < manyRoutes.hosts; first += hostsPerFile) {
    const routes = Array.from({ length: hostsPerFile }, (_, index) => routesOfHost(first + index)).flat();
    writeFileSync(join(directory, `routes-${first}.yaml`), documents(routes));
  }
}

/** Writes a file of the served directory in one step, as a careful editor does: readers see the old or the new one. */
export function replaceFile(directory: string, name: string, objects: readonly string[]): void {
  const temporary = join(directory, `.${name}.new`);
  writeFileSync(temporary, documents(objects));
  renameSync(temporary, join(directory, name));
}

/** Host of one of the many routes. */
export function hostName(index: number): string {
  return `host-${index}.bench.example.test`;
}

/** A GatewayClass of Sallyport's. */
export function gatewayClass(): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: sallyport
spec:
  controllerName: sallyport.io/gateway-controller
`;
}

const protocols = {
  http: "HTTP",
  https: "HTTPS",
  h2: "HTTPS",
  h2c: "HTTP",
  grpc: "HTTP",
  tcp: "TCP",
  udp: "UDP",
} as const satisfies Record<Front, string>;

const listenerTls = `      tls:
        certificateRefs:
          - name: bench
`;

/** A Gateway with one listener for all hosts. */
export function gateway(port: number, front: Front = "http"): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: bench
  namespace: default
spec:
  gatewayClassName: sallyport
  listeners:
    - name: ${front}
      port: ${port}
      protocol: ${protocols[front]}
${frontTraits[front].tls === "on" ? listenerTls : ""}`;
}

/** A Service whose endpoints are processes on this machine. */
export function service(name: string, ports: readonly number[], front: Front = "http"): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: default
  annotations:
    sallyport.io/endpoints: ${JSON.stringify(ports.map((port) => `127.0.0.1:${port}`).join(","))}
spec:
  ports:
    - name: ${front === "tcp" || front === "udp" ? front : "http"}
      port: 80
      protocol: ${front === "udp" ? "UDP" : "TCP"}
${frontTraits[front].upstream === "http2" ? "      appProtocol: kubernetes.io/h2c\n" : ""}`;
}

/** One HTTPRoute: everything under a path, for one host or all, to one Service. */
export interface RouteSetup {
  readonly name: string;
  readonly path: string;
  readonly service: string;
  readonly host?: string;
  /** Filters of the rule as YAML, indented by eight. */
  readonly filters?: string;
}

/** The HTTPRoute as YAML. */
export function httpRoute({ name, path, service: backend, host, filters }: RouteSetup): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: ${name}
  namespace: default
spec:
  parentRefs:
    - name: bench
${host === undefined ? "" : `  hostnames:\n    - ${host}\n`}  rules:
    - matches:
        - path:
            type: PathPrefix
            value: ${path}
${filters === undefined ? "" : `      filters:\n${filters}`}      backendRefs:
        - name: ${backend}
          port: 80
`;
}

function routeForAll(front: Front): string {
  if (frontTraits[front].upstream === "http1") return httpRoute({ name: "all", path: "/", service: "backend" });
  const kinds = { grpc: "GRPCRoute", tcp: "TCPRoute", udp: "UDPRoute" } as const;
  return `apiVersion: gateway.networking.k8s.io/v1
kind: ${front === "grpc" || front === "tcp" ? kinds[front] : kinds.udp}
metadata:
  name: all
  namespace: default
spec:
  parentRefs:
    - name: bench
  rules:
    - backendRefs:
        - name: backend
          port: 80
`;
}

const trafficPolicy = `apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata:
  name: backend
  namespace: default
spec:
  targetRefs:
    - group: ""
      kind: Service
      name: backend
  retry:
    attempts: 2
    retryOn: [connect-failure, refused-stream, reset, gateway-error]
    perTryTimeout: 10s
    budget: { percent: 20, minConcurrent: 3 }
  timeout:
    request: 30s
    streamIdle: 60s
  healthCheck:
    passive:
      consecutive5xxErrors: 5
      consecutiveGatewayErrors: 5
      interval: 10s
      baseEjectionTime: 30s
  circuitBreaker:
    maxConnections: 1024
    maxPendingRequests: 1024
    maxParallelRequests: 1024
    maxParallelRetries: 64
`;

function certificateSecret({ cert, key }: CertificateFiles): string {
  const base64 = (file: string): string => readFileSync(file).toString("base64");
  return `apiVersion: v1
kind: Secret
metadata:
  name: bench
  namespace: default
type: kubernetes.io/tls
data:
  tls.crt: ${base64(cert)}
  tls.key: ${base64(key)}
`;
}

function documents(objects: readonly string[]): string {
  return objects.join("---\n");
}

function routesOfHost(host: number): readonly string[] {
  return Array.from({ length: manyRoutes.pathsPerHost }, (_, path) =>
    httpRoute({ name: `route-${host}-${path}`, path: `/part-${path}`, service: "backend", host: hostName(host) }),
  );
}
