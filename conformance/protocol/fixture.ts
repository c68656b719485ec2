// The configuration the suite runs Sallyport with: one listener, route and backend for each slot.
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { freePorts, startSallyport } from "@sallyport/testkit/process";
import type { Sallyport } from "@sallyport/testkit/process";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { Slot } from "./exercise.ts";

/** The system under test with its slots. */
export interface Rig {
  readonly slots: readonly Slot[];
  readonly sallyport?: Sallyport;
  close(): Promise<void>;
}

/** A Gateway with a listener for each port, and what each port leads to. */
export function gatewayObjects(pairs: readonly { readonly port: number; readonly backend: number }[]): string {
  const listeners = pairs.map(
    ({ port }) =>
      `    - { name: p${port}, port: ${port}, protocol: HTTP, allowedRoutes: { namespaces: { from: Same } } }`,
  );
  const gateway = [
    "apiVersion: gateway.networking.k8s.io/v1",
    "kind: GatewayClass",
    "metadata: { name: sallyport }",
    "spec: { controllerName: sallyport.io/gateway-controller }",
    "---",
    "apiVersion: gateway.networking.k8s.io/v1",
    "kind: Gateway",
    "metadata: { name: edge, namespace: default }",
    "spec:",
    "  gatewayClassName: sallyport",
    "  listeners:",
    ...listeners,
  ];
  return [gateway.join("\n"), ...pairs.flatMap(({ port, backend }) => [route(port), service(port, backend)])].join(
    "\n---\n",
  );
}

/** Everything goes to the backend; which rule matched is told in a field the client cannot set. */
function route(port: number): string {
  const matched = (name: string): string =>
    `filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-matched, value: ${name} }] } }]`;
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r${port}, namespace: default }
spec:
  parentRefs: [{ name: edge, sectionName: p${port} }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /admin } }]
      ${matched("admin")}
      backendRefs: [{ name: s${port}, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: / } }]
      ${matched("default")}
      backendRefs: [{ name: s${port}, port: 80 }]`;
}

function service(port: number, backend: number): string {
  return `apiVersion: v1
kind: Service
metadata: { name: s${port}, namespace: default, annotations: { sallyport.io/endpoints: "127.0.0.1:${backend}" } }
spec: { ports: [{ port: 80 }] }`;
}

/** Starts Sallyport in front of `count` scripted backends. */
export async function openRig(count: number): Promise<Rig> {
  const directory = openTemporaryDirectory();
  const ports = await freePorts(count);
  const upstreams = await Promise.all(ports.map(() => RawUpstream.open(() => ({ when: "complete", steps: [] }))));
  const slots = ports.map((port, index) => ({ port, upstream: upstreams[index] })).filter(hasUpstream);
  const closeAll = async (sallyport?: Sallyport): Promise<void> => {
    await sallyport?.stop();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    directory.close();
  };
  try {
    const pairs = slots.map(({ port, upstream }) => ({ port, backend: upstream.port }));
    directory.write("gateway.yaml", gatewayObjects(pairs));
    const sallyport = await startSallyport({ directory: directory.path });
    return { slots, sallyport, close: () => closeAll(sallyport) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** A system someone else started: one port, and the backend it is configured to use. */
export async function openPeer(port: number, backend: number): Promise<Rig> {
  const upstream = await RawUpstream.open(() => ({ when: "complete", steps: [] }), backend);
  return { slots: [{ port, upstream }], close: () => upstream.close() };
}

function hasUpstream(slot: { readonly port: number; readonly upstream: RawUpstream | undefined }): slot is Slot {
  return slot.upstream !== undefined;
}
