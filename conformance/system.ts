// The system under test as the suites use it: ports, each of which leads to one backend. It is Sallyport, unless the
// environment variable CONFORMANCE_PEER holds a command with PORT and UPSTREAM in it: then that command is started once
// for each port, so that the suites themselves can be checked against proxies whose behaviour is known.
import { connect } from "node:net";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { startProcess, startSallyport } from "@sallyport/testkit/process";
import type { RunningProcess, Sallyport } from "@sallyport/testkit/process";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";

/** A port of the system, and the port of the backend it leads to. */
export interface Pair {
  readonly port: number;
  readonly backend: number;
  /** The port speaks TLS. */
  readonly secure?: boolean;
}

/** A running system. */
export interface System {
  /** Absent where a peer is under test. */
  readonly sallyport?: Sallyport;
  /** What it printed before it ended by itself; undefined while it runs. */
  epitaph(): string | undefined;
  stop(): Promise<void>;
}

/** Starts the system and resolves once each port answers; throws with its output if that does not come. */
export async function startSystem(pairs: readonly Pair[]): Promise<System> {
  const peer = process.env["CONFORMANCE_PEER"];
  if (peer !== undefined) return startPeers(peer, pairs);
  const directory = openTemporaryDirectory({ "gateway.yaml": gatewayObjects(pairs) });
  if (pairs.some(({ secure }) => secure === true)) directory.write("secret.yaml", await secretObject());
  try {
    const sallyport = await startSallyport({ directory: directory.path });
    const stop = async (): Promise<void> => {
      await sallyport.stop();
      directory.close();
    };
    return { sallyport, epitaph: () => epitaphOf(sallyport.process), stop };
  } catch (error) {
    directory.close();
    throw error;
  }
}

function epitaphOf(child: RunningProcess): string | undefined {
  return child.exit() === undefined ? undefined : `ended by itself (${child.exit()}):\n${child.output()}`;
}

async function startPeers(command: string, pairs: readonly Pair[]): Promise<System> {
  const peers = pairs.map(({ port, backend }) => {
    const line = command.replaceAll("PORT", String(port)).replaceAll("UPSTREAM", String(backend));
    return startProcess("/bin/sh", ["-c", `exec ${line}`]);
  });
  const stop = async (): Promise<void> => {
    await Promise.all(peers.map((peer) => peer.stop(500)));
  };
  try {
    for (const { port } of pairs) await eventually(() => answers(port), { what: `a peer on port ${port}` });
  } catch (error) {
    await stop();
    throw error;
  }
  return { epitaph: () => peers.map(epitaphOf).find((text) => text !== undefined), stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A Gateway with a listener for each port, and what each port leads to. */
export function gatewayObjects(pairs: readonly Pair[]): string {
  const listeners = pairs.map(({ port, secure }) => {
    const protocol = secure === true ? "HTTPS, tls: { certificateRefs: [{ name: server }] }" : "HTTP";
    return `    - { name: p${port}, port: ${port}, protocol: ${protocol}, allowedRoutes: { namespaces: { from: Same } } }`;
  });
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

async function secretObject(): Promise<string> {
  const { cert, key } = await createSelfSigned({ names: ["a.test", "localhost"] });
  const encode = (pem: string): string => Buffer.from(pem).toString("base64");
  return `apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: { name: server, namespace: default }
data: { tls.crt: "${encode(cert)}", tls.key: "${encode(key)}" }
`;
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
