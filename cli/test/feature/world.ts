/** What the feature tests share: an echo backend, a running gateway for some YAML, and one-shot requests. */
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { freePorts, startSallyport, type Sallyport } from "@sallyport/testkit/process";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";

/** A request as a backend saw it. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer as the client saw it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** What the backend saw, where it was the echo backend that answered. */
  readonly echo: Echo | undefined;
}

/** A backend that answers with what it saw, after `?delay=MS`, and keeps it. */
export interface EchoBackend {
  readonly port: number;
  readonly seen: Echo[];
  close(): Promise<void>;
}

/** Opens an echo backend of that name. */
export async function openEcho(backend: string): Promise<EchoBackend> {
  const seen: Echo[] = [];
  const server = createServer((incoming, response) => {
    let body = "";
    incoming.setEncoding("latin1").on("data", (text: string) => (body += text));
    incoming.on("end", () => {
      const { method = "", url = "" } = incoming;
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const echo = { backend, method, url, headers, body };
      seen.push(echo);
      const delay = Number(new URL(url, "http://x").searchParams.get("delay") ?? 0);
      const answer = (): void => {
        response.writeHead(200, { "content-type": "application/json", "x-backend": backend, "x-drop-me": "1" });
        response.end(method === "HEAD" ? undefined : JSON.stringify(echo));
      };
      if (delay === 0) answer();
      else setTimeout(answer, delay);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: portOf(server), seen, close: () => closeServer(server) };
}

/** A gateway that serves the files of a directory. */
export interface ServedDirectory {
  readonly directory: TemporaryDirectory;
  readonly sallyport: Sallyport;
  close(): Promise<void>;
}

/** Serves these files until closed. */
export async function serveFiles(
  files: Readonly<Record<string, string>>,
  extra: readonly string[] = [],
): Promise<ServedDirectory> {
  const directory = openTemporaryDirectory(files);
  try {
    const sallyport = await startSallyport({ directory: directory.path, extra: ["--min-drain", "0", ...extra] });
    const close = async (): Promise<void> => {
      await sallyport.stop();
      directory.close();
    };
    return { directory, sallyport, close };
  } catch (error) {
    directory.close();
    throw error;
  }
}

/** A request of a test; `host` is sent as Host. */
export interface Question {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one request on a connection of its own. */
export function ask(question: Question): Promise<Answer> {
  const { port, host, path, method = "GET", headers = {}, body } = question;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers: { host, ...headers }, agent: false };
    const outgoing = request(options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const status = incoming.statusCode ?? 0;
        resolve({ status, headers: incoming.headers, text, echo: parseEcho(text) });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** One port nobody listens on. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** A class and a Gateway with HTTP listeners, as YAML. `listeners` are lines of YAML flow mappings. */
export function gatewayYaml(listeners: readonly string[]): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport }
spec: { controllerName: sallyport.io/gateway-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: sallyport
  listeners:
${listeners.map((listener) => `    - ${listener}`).join("\n")}
`;
}

/** A Service with one endpoint on loopback, as YAML. */
export function serviceYaml(name: string, port: number): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, annotations: { sallyport.io/endpoints: "127.0.0.1:${port}" } }
spec: { ports: [{ port: 80 }] }
`;
}

/** An HTTPRoute of one host on the Gateway `edge`; `rules` is the YAML of its rules, indented by four. */
export function routeYaml(name: string, hostname: string, rules: string): string {
  return `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: edge }]
  hostnames: ["${hostname}"]
  rules:
${rules}
`;
}

function parseEcho(text: string): Echo | undefined {
  if (!text.startsWith("{")) return undefined;
  return JSON.parse(text) as Echo;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  const closed = once(server, "close");
  server.close();
  await closed;
}
