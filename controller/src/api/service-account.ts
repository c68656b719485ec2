/**
 * Access from inside a pod: the environment names the server, the mounted service account proves who we are. The kubelet
 * replaces token and authorities on disk while we run, so they are read again and again.
 */
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { ApiFailure } from "./contract.ts";
import type { Authorization, ServerAccess } from "./access.ts";

/** Where kubelets mount the service account of a pod. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How long what was read counts, in milliseconds. Tokens are replaced long before they expire. */
const remembered = 10_000;

/** What says where the API server is. */
export interface PodFacts {
  /** See SERVICE_ACCOUNT_DIRECTORY. */
  readonly directory: string;
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string;
  readonly port: string;
}

/** Access as the service account mounted at a directory. */
export function openServiceAccount({ directory, host, port }: PodFacts): ServerAccess {
  const server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  let known: { readonly until: number; readonly authorization: Promise<Authorization> } | undefined;
  return {
    server,
    async authorize() {
      const now = performance.now();
      if (known !== undefined && now < known.until) return known.authorization;
      const authorization = readAccount(directory);
      known = { until: now + remembered, authorization };
      authorization.catch(() => (known = undefined));
      return authorization;
    },
    forget() {
      known = undefined;
    },
  };
}

async function readAccount(directory: string): Promise<Authorization> {
  try {
    const [ca, token] = await Promise.all(
      ["ca.crt", "token"].map(async (name) => readFile(join(directory, name), "utf8")),
    );
    return { headers: { authorization: `Bearer ${(token ?? "").trim()}` }, tls: ca === undefined ? {} : { ca } };
  } catch (cause) {
    const message = `the service account at ${directory} cannot be read: is automountServiceAccountToken off?`;
    throw new ApiFailure(message, { status: 0, cause });
  }
}
