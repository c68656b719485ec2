/** Access as a kubeconfig file says, for a controller outside of the cluster: exec plugins, OIDC, client certificates, proxies. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { Authorization, ServerAccess } from "./access.ts";
import { ApiFailure } from "./contract.ts";

/**
 * Access to the current cluster of a kubeconfig file; absent: of `KUBECONFIG`, else of `~/.kube/config`. Rejects with an
 * ApiFailure where there is none, or none that can be read. Loads what reads it, which takes 80 MB.
 */
export async function openKubeconfig(path?: string): Promise<ServerAccess> {
  const { KubeConfig: Config } = await import("@kubernetes/client-node/dist/config.js");
  const load = (): KubeConfig => {
    const config = new Config();
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
    return config;
  };
  let config = attempt(load, path);
  const server = attempt(() => toServer(config), path);
  return {
    server,
    async authorize() {
      return toAuthorization(config);
    },
    forget() {
      // Exec plugins and token files are remembered inside of it. A file that became unreadable leaves what there was.
      try {
        config = load();
      } catch {
        return;
      }
    },
  };
}

function attempt<T>(load: () => T, path: string | undefined): T {
  try {
    return load();
  } catch (cause) {
    const where = path ?? process.env["KUBECONFIG"] ?? "~/.kube/config";
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiFailure(`the kubeconfig ${where} cannot be used: ${reason}`, { status: 0, cause });
  }
}

function toServer(config: KubeConfig): URL {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(`its current context ${JSON.stringify(config.currentContext)} names no cluster`);
  const server = new URL(cluster.server);
  if (server.protocol === "https:" || server.protocol === "http:") return server;
  throw new Error(`${cluster.server} is neither https nor http`);
}

async function toAuthorization(config: KubeConfig): Promise<Authorization> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiFailure(`the kubeconfig gives no credentials: ${reason.trim()}`, { status: 0, cause });
  }
  const { agent, servername, rejectUnauthorized } = options;
  const isProxy = agent instanceof HttpAgent && agent.constructor !== HttpsAgent && agent.constructor !== HttpAgent;
  return {
    headers: toHeaders(options),
    tls: {
      ...toPem("ca", options.ca),
      ...toPem("cert", options.cert),
      ...toPem("key", options.key),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
    ...(isProxy ? { proxy: agent } : {}),
  };
}

function toHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) all[name.toLowerCase()] = String(value);
  if (typeof auth === "string") all["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return all;
}

function toPem(name: "ca" | "cert" | "key", value: unknown): Partial<Record<"ca" | "cert" | "key", string>> {
  if (Buffer.isBuffer(value)) return { [name]: value.toString("utf8") };
  return typeof value === "string" ? { [name]: value } : {};
}
