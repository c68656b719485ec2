// Objects for the suite of the connection layer, as YAML: one Gateway, what hangs on it, and the secrets it needs.
import { createAuthority, type CertifiedKey } from "@sallyport/testkit/certs";

/** Certificates of one name under one authority, one for each type of key. */
export interface CertificatePair {
  readonly keys: readonly ("ecdsa" | "rsa")[];
  readonly authority: string;
  readonly leaves: readonly CertifiedKey[];
}

/** Issues them. */
export async function issuePair(keys: CertificatePair["keys"], names: readonly string[]): Promise<CertificatePair> {
  const authority = await createAuthority();
  const leaves = await Promise.all(keys.map((kind) => authority.issue({ names, keys: kind })));
  return { keys, authority: authority.cert, leaves };
}

/** A port that terminates TLS with these certificates, and its backend. */
export function tlsObjects(options: {
  readonly port: number;
  readonly backend: number;
  readonly pair: CertificatePair;
}): string {
  const { port, backend, pair } = options;
  const refs = pair.leaves.map((_, index) => `{ name: server-${index} }`).join(", ");
  return join([
    GATEWAY_CLASS,
    gateway([`{ name: https, port: ${port}, protocol: HTTPS, tls: { certificateRefs: [${refs}] } }`]),
    ...pair.leaves.map((leaf, index) => secret(`server-${index}`, leaf)),
    httpRoute("all", "https", "backend"),
    service("backend", backend),
  ]);
}

/** One file of several objects. */
export function join(objects: readonly string[]): string {
  return objects.join("\n---\n");
}

/** Our GatewayClass. */
export const GATEWAY_CLASS = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport }
spec: { controllerName: sallyport.io/gateway-controller }`;

/** A Gateway, `edge` unless named; listeners are flow mappings, `spec` is further lines of its spec. */
export function gateway(
  listeners: readonly string[],
  more: {
    readonly name?: string;
    readonly spec?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${more.name ?? "edge"}, namespace: default, annotations: ${JSON.stringify(more.annotations ?? {})} }
spec:
  gatewayClassName: sallyport
  listeners:
${listeners.map((listener) => `    - ${listener}`).join("\n")}
${more.spec ?? ""}`;
}

/** An HTTPS listener as a flow mapping, with the Secret of its own name. */
export function httpsListener(name: string, port: number, hostname?: string): string {
  const host = hostname === undefined ? "" : `hostname: "${hostname}", `;
  return `{ name: ${name}, port: ${port}, protocol: HTTPS, ${host}tls: { certificateRefs: [{ name: ${name} }] } }`;
}

/** A Secret of type kubernetes.io/tls. */
export function secret(name: string, { cert, key }: CertifiedKey): string {
  return `apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: { name: ${name}, namespace: default }
data: { tls.crt: "${encode(cert)}", tls.key: "${encode(key)}" }`;
}

/** A ConfigMap with an authority, and with its revocation list if there is one. */
export function authority(name: string, certificate: string, revocations?: string): string {
  const data = { "ca.crt": certificate, ...(revocations === undefined ? {} : { "ca.crl": revocations }) };
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: default }
data: ${JSON.stringify(data)}`;
}

/** An HTTPRoute on one listener that sends everything to one Service. */
export function httpRoute(name: string, listener: string, backend: string, parent = "edge"): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: default }
spec:
  parentRefs: [{ name: ${parent}, sectionName: ${listener} }]
  rules: [{ backendRefs: [{ name: ${backend}, port: 80 }] }]`;
}

/** A TLSRoute, TCPRoute or UDPRoute on one listener; hostnames are for TLSRoutes. */
export function streamRoute(options: {
  readonly kind: "TLSRoute" | "TCPRoute" | "UDPRoute";
  readonly name: string;
  readonly listener: string;
  readonly backend: string;
  readonly hostnames?: readonly string[];
}): string {
  const { kind, name, listener, backend, hostnames } = options;
  return `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: default }
spec:
  parentRefs: [{ name: edge, sectionName: ${listener} }]
${hostnames === undefined ? "" : `  hostnames: ${JSON.stringify(hostnames)}\n`}  rules: [{ backendRefs: [{ name: ${backend}, port: 80 }] }]`;
}

/** A Service whose one port leads to a port of this machine. */
export function service(
  name: string,
  backend: number,
  more: {
    readonly protocol?: "TCP" | "UDP";
    readonly appProtocol?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): string {
  const spoken = more.appProtocol === undefined ? "" : `, appProtocol: ${more.appProtocol}`;
  const annotations = { "sallyport.io/endpoints": `127.0.0.1:${backend}`, ...more.annotations };
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default, annotations: ${JSON.stringify(annotations)} }
spec: { ports: [{ port: 80, protocol: ${more.protocol ?? "TCP"}${spoken} }] }`;
}

/** A BackendTLSPolicy for one Service. */
export function backendTlsPolicy(name: string, backend: string, hostname: string, configMap: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name}, namespace: default }
spec:
  targetRefs: [{ group: "", kind: Service, name: ${backend} }]
  validation: { hostname: ${hostname}, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ${configMap} }] }`;
}

function encode(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
