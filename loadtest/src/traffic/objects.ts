// The objects of the traffic measurements: Services whose endpoints are EndpointSlices, and the policies under test.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { sallyportCommand, sallyportProgram, type SallyportForm } from "../peers/sallyport.ts";
import { ask, pollUntilReady } from "../probe.ts";
import type { Running } from "../processes.ts";
import { gateway, gatewayClass, httpRoute, replaceFile } from "../sallyport-objects.ts";

/** An endpoint as its EndpointSlice has it. */
export interface SliceEndpoint {
  readonly port: number;
  /** Terminating ones still serve. */
  readonly state: "ready" | "terminating";
}

/** A running Sallyport and the directory it serves. */
export interface Proxy {
  readonly running: Running;
  readonly port: number;
  readonly admin: number;
  readonly directory: string;
}

/** A Service of the measurements: its host is `NAME.example.test`. */
export interface ServiceSetup {
  readonly name: string;
  readonly endpoints: readonly SliceEndpoint[];
  /** Top-level fields of the BackendTrafficPolicy's spec as YAML, indented by two; absent: no policy. */
  readonly policy?: string;
  /** How many routes lead to it. Default 1. */
  readonly routes?: number;
}

/** The host of a Service's routes. */
export function hostOf(name: string): string {
  return `${name}.example.test`;
}

/** Writes the objects and starts Sallyport on them. */
export async function startProxy(bench: Bench, form: SallyportForm, services: readonly ServiceSetup[]): Promise<Proxy> {
  const [port, admin, metrics] = [await bench.takePort(), await bench.takePort(), await bench.takePort()];
  const folder = bench.newFolder("sallyport");
  const directory = join(folder, "objects");
  mkdirSync(directory, { recursive: true });
  replaceFile(directory, "gateway.yaml", [gatewayClass(), gateway(port)]);
  for (const service of services) writeService(directory, service);
  const launch = sallyportCommand(sallyportProgram(form), directory, { admin, metrics, accessLog: "off" });
  const { proxy: processors } = bench.layout;
  const running = await bench.processes.start({ name: "sallyport", launch, directory: folder, processors });
  await waitUntilRouted(running, port, services);
  return { running, port, admin, directory };
}

/** Replaces the endpoints of a Service in one step. */
export function writeEndpoints(directory: string, name: string, endpoints: readonly SliceEndpoint[]): void {
  replaceFile(
    directory,
    `${name}-endpoints.yaml`,
    endpoints.map((endpoint) => slice(name, endpoint)),
  );
}

function writeService(directory: string, { name, endpoints, policy, routes = 1 }: ServiceSetup): void {
  writeEndpoints(directory, name, endpoints);
  const paths = Array.from({ length: routes }, (_, index) => (index === 0 ? "/" : `/part-${index}`));
  replaceFile(directory, `${name}.yaml`, [
    serviceObject(name),
    ...paths.map((path, index) => httpRoute({ name: `${name}-${index}`, path, host: hostOf(name), service: name })),
    ...(policy === undefined ? [] : [policyObject(name, policy)]),
  ]);
}

/** Every Service answers whatever its endpoints are: 404 says that its route is not there yet. */
async function waitUntilRouted(running: Running, port: number, services: readonly ServiceSetup[]): Promise<void> {
  for (const { name } of services) {
    await pollUntilReady(running, async () => {
      const { status } = await ask({ port, path: "/", host: hostOf(name) });
      if (status !== 200) throw new Error(`status ${status}`);
    });
  }
}

function serviceObject(name: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: default
spec:
  selector:
    app: ${name}
  ports:
    - name: http
      port: 80
`;
}

function slice(service: string, { port, state }: SliceEndpoint): string {
  const isReady = state === "ready";
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${service}-${port}
  namespace: default
  labels:
    kubernetes.io/service-name: ${service}
addressType: IPv4
ports:
  - name: http
    port: ${port}
endpoints:
  - addresses: ["127.0.0.1"]
    conditions: { ready: ${isReady}, serving: true, terminating: ${!isReady} }
`;
}

function policyObject(service: string, fields: string): string {
  return `apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata:
  name: ${service}
  namespace: default
spec:
  targetRefs:
    - { group: "", kind: Service, name: ${service} }
${fields}`;
}
