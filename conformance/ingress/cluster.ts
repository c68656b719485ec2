// What the Ingress scenarios stand on: a namespace with echo servers, Ingresses in it, and the address that their status tells.
import { connect as connectTls } from "node:tls";
import { echoPod } from "../echo.ts";
import { fieldOf, KubeClient, type KubeObject } from "../kube-client.ts";

/** Namespace of all that the scenarios make. */
const NAMESPACE = "ingress-conformance";

/** A path rule, its service being one of those of `addService`. */
export interface PathRule {
  readonly path: string;
  readonly type: "Exact" | "Prefix";
  readonly service: string;
}

/** A cluster in which the scenarios run. */
export class IngressCluster implements AsyncDisposable {
  readonly client: KubeClient;

  private constructor(client: KubeClient) {
    this.client = client;
  }

  /** By the kubeconfig that the environment names. */
  static async open(): Promise<IngressCluster> {
    const cluster = new IngressCluster(KubeClient.ofEnvironment("npm run conformance:ingress"));
    await cluster.client.renewNamespace(NAMESPACE);
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.remove({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    this.client[Symbol.dispose]();
  }

  /** Echo servers behind a Service; resolves when all pods are ready. */
  async addService(name: string, replicas = 1): Promise<void> {
    const labels = { app: name };
    const metadata = { name, namespace: NAMESPACE };
    await this.client.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ name: "http", port: 8080, targetPort: 3000 }] },
    });
    await this.client.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { replicas, selector: { matchLabels: labels }, template: echoPod(name) },
    });
    await this.client.waitFor({ apiVersion: "apps/v1", kind: "Deployment", metadata }, `pods of ${name}`, (live) =>
      fieldOf(live, "status", "readyReplicas") === replicas ? true : undefined,
    );
  }

  /** An Ingress; without `class` it is of the class under test. */
  async addIngress(
    name: string,
    spec: Readonly<Record<string, unknown>>,
    className = "sallyport",
  ): Promise<KubeObject> {
    const ingress: KubeObject = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, namespace: NAMESPACE },
      spec: { ingressClassName: className, ...spec },
    };
    await this.client.apply(ingress);
    return ingress;
  }

  async remove(object: KubeObject): Promise<void> {
    await this.client.remove(object);
  }

  /** A Secret with a certificate. */
  async addCertificate(name: string, { cert, key }: { readonly cert: string; readonly key: string }): Promise<void> {
    await this.client.apply({
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: { name, namespace: NAMESPACE },
      stringData: { "tls.crt": cert, "tls.key": key },
    });
  }

  /** The address in the Ingress's status, once there is one. */
  addressOf(ingress: KubeObject): Promise<string> {
    return this.client.waitFor(ingress, `the address of Ingress ${ingress.metadata.name}`, (live) => {
      const first = fieldOf(live, "status", "loadBalancer", "ingress", 0);
      const address = fieldOf(first, "ip") ?? fieldOf(first, "hostname");
      return typeof address === "string" ? address : undefined;
    });
  }
}

/** Rules of one host, or of all. */
export function rulesOf(paths: readonly PathRule[], host?: string): Readonly<Record<string, unknown>> {
  const entries = paths.map(({ path, type, service }) => ({ path, pathType: type, backend: backendOf(service) }));
  return { rules: [{ ...(host === undefined ? {} : { host }), http: { paths: entries } }] };
}

/** A Service as a backend. */
export function backendOf(name: string): unknown {
  return { service: { name, port: { name: "http" } } };
}

/**
 * Names of the certificate that port 443 shows to somebody who asks for `host` and believes `authority` only. Throws after two seconds:
 * what knocks before kube-proxy knows of the port is never answered, however often it is sent again.
 */
export function verifyCertificate(address: string, host: string, authority: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: address, port: 443, servername: host, ca: authority, timeout: 2000 });
    socket.on("secureConnect", () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no handshake within 2 s")));
    socket.on("error", reject);
  });
}
