// A kubeconfig file for the API server of tests.
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { TestApiServer } from "./api-server.ts";

/** A directory with a kubeconfig in the file `config`, whose user is the given one; by default it has a client certificate. */
export function writeKubeconfig(server: TestApiServer, user?: object): TemporaryDirectory {
  const { cert, key } = server.clientCertificate;
  const certificate = { "client-certificate-data": toData(cert), "client-key-data": toData(key) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server: server.url, "certificate-authority-data": toData(server.ca) } }],
    users: [{ name: "me", user: user ?? certificate }],
    contexts: [{ name: "test", context: { cluster: "test", user: "me" } }],
  };
  // YAML may be JSON.
  return openTemporaryDirectory({ config: JSON.stringify(config) });
}

function toData(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
