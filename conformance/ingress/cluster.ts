// What the Ingress scenarios stand on: a namespace with echo servers, Ingresses in it, and the address that their status tells.
import { connect as connectTls } from "node:tls";
import { request, type IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fieldOf, KubeClient, type KubeObject } from "../kube-client.ts";

/** Namespace of all that the scenarios make. */
const NAMESPACE = "ingress-conformance";
const ECHO_IMAGE = "registry.k8s.io/gateway-api/echo-basic:v1.5.1";
/** Milliseconds in which what was configured must be served. */
const CONVERGENCE = 30_000;
/** Milliseconds between two questions. */
const ASK_EVERY = 50;

/** An answer of the gateway; `service` and `pod` are what the echo server says of itself. */
export interface Answer {
  readonly status: number;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly service: string | undefined;
  readonly pod: string | undefined;
  /** As the backend saw it. */
  readonly method: string | undefined;
}

/** What to ask for. */
export interface Question {
  readonly path?: string;
  /** More fields of the request. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly method?: string;
}

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
    const kubeconfig = process.env["KUBECONFIG"];
    if (kubeconfig === undefined) throw new Error("KUBECONFIG is not set; `npm run conformance:ingress` sets it");
    const cluster = new IngressCluster(new KubeClient(kubeconfig));
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
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

/** Asks port 80 once. */
export function ask(address: string, { path = "/", host, method = "GET", fields = {} }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? fields : { ...fields, host };
    const sent = request(
      { host: address, port: 80, path, method, headers, agent: false, timeout: 10_000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, httpVersion, headers: received } = response;
          resolve({ status, httpVersion, headers: received, ...readEcho(body) });
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", reject);
    sent.end();
  });
}

/** Asks until the answer is what `judge` demands (it throws where it is not): what was just written takes a moment. */
export async function askUntil(address: string, question: Question, judge: (answer: Answer) => void): Promise<Answer> {
  const deadline = performance.now() + CONVERGENCE;
  for (;;) {
    try {
      const answer = await ask(address, question);
      judge(answer);
      return answer;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(ASK_EVERY);
  }
}

/** Names of the certificate that port 443 shows to somebody who asks for `host` and believes `authority` only. */
export function verifyCertificate(address: string, host: string, authority: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: address, port: 443, servername: host, ca: authority, timeout: 10_000 });
    socket.on("secureConnect", () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no handshake within 10 s")));
    socket.on("error", reject);
  });
}

function readEcho(body: string): Pick<Answer, "service" | "pod" | "method"> {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  try {
    const echo: unknown = JSON.parse(body);
    const [service, pod, method] = [fieldOf(echo, "service"), fieldOf(echo, "pod"), fieldOf(echo, "method")];
    return { service: text(service), pod: text(pod), method: text(method) };
  } catch {
    return { service: undefined, pod: undefined, method: undefined };
  }
}

function echoPod(name: string): unknown {
  const fromMetadata = (field: string): unknown => ({ fieldRef: { fieldPath: `metadata.${field}` } });
  return {
    metadata: { labels: { app: name } },
    spec: {
      containers: [
        {
          name: "echo",
          image: ECHO_IMAGE,
          env: [
            { name: "SERVICE_NAME", value: name },
            { name: "POD_NAME", valueFrom: fromMetadata("name") },
            { name: "NAMESPACE", valueFrom: fromMetadata("namespace") },
          ],
          readinessProbe: { httpGet: { path: "/health", port: 3000 }, periodSeconds: 1 },
        },
      ],
      terminationGracePeriodSeconds: 1,
    },
  };
}
