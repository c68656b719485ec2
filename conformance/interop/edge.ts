// Sallyport in front of backends that the interop suite names: a cleartext and a TLS port, a host name for each backend.
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts, type SallyportOptions } from "@sallyport/testkit/process";
import { openGateway, type RunningGateway } from "../tls/gateway.ts";
import {
  authority as authorityObject,
  backendTlsPolicy,
  GATEWAY_CLASS,
  gateway,
  httpsListener,
  join,
  secret,
  service,
} from "../tls/objects.ts";
import type { Origin } from "./clients.ts";

/** A backend by where it listens; the Service's port says how it is spoken to. */
export interface Behind {
  readonly port: number;
  readonly version: "h1" | "h2";
  /** PEM of the authority of its certificate for `backend.test`; absent for cleartext. */
  readonly ca?: string;
}

/** A running gateway. */
export interface InteropEdge extends AsyncDisposable {
  readonly running: RunningGateway;
  readonly cleartext: number;
  readonly secure: number;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  /** How a client reaches a backend: `host` is its name and `.test`. */
  origin(transport: "cleartext" | "tls", name: string): Origin;
}

/** Starts it in front of backends by name; each is served as `NAME.test`. */
export async function openInteropEdge(
  backends: Readonly<Record<string, Behind>>,
  options: Omit<SallyportOptions, "directory"> = {},
): Promise<InteropEdge> {
  const authority = await createAuthority();
  const [cleartext = 0, secure = 0] = await freePorts(2);
  // clients do not take *.test: nothing may stand for all names of a top-level domain
  const names = Object.keys(backends).map((name) => `${name}.test`);
  const running = await openGateway(
    {
      "gateway.yaml": join([
        GATEWAY_CLASS,
        gateway([`{ name: cleartext, port: ${cleartext}, protocol: HTTP }`, httpsListener("tls", secure)]),
        secret("tls", await authority.issue({ names })),
        ...Object.entries(backends).flatMap(([name, behind]) => backendObjects(name, behind)),
      ]),
    },
    options,
  );
  return {
    running,
    cleartext,
    secure,
    ca: authority.cert,
    origin: (transport, name) =>
      transport === "tls"
        ? { port: secure, host: `${name}.test`, ca: authority.cert }
        : { port: cleartext, host: `${name}.test` },
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

function backendObjects(name: string, { port, version, ca }: Behind): readonly string[] {
  const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: default }
spec:
  parentRefs: [{ name: edge }]
  hostnames: ["${name}.test"]
  rules: [{ backendRefs: [{ name: ${name}, port: 80 }] }]`;
  const more = version === "h2" && ca === undefined ? { appProtocol: "kubernetes.io/h2c" } : {};
  const tls =
    ca === undefined
      ? []
      : [authorityObject(`${name}-ca`, ca), backendTlsPolicy(name, name, "backend.test", `${name}-ca`)];
  return [route, service(name, port, more), ...tls];
}
