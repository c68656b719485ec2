// A client of the controller and an API server of its own to talk to.
import { openKubeApi, type KubeApiOptions, type OpenKubeApi } from "../src/api/kube-api.ts";
import { TestApiServer } from "./api-server.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";

/** Both ends; disposing closes them. */
export interface Rig extends AsyncDisposable {
  readonly server: TestApiServer;
  readonly api: OpenKubeApi;
}

/** A client with a client certificate, of a server of its own. */
export async function openRig(options: Partial<KubeApiOptions> = {}, user?: object): Promise<Rig> {
  const server = await TestApiServer.start();
  using directory = writeKubeconfig(server, user);
  const api = await openKubeApi({ version: "1.2.3", kubeconfig: directory.file("config"), ...options });
  return {
    server,
    api,
    async [Symbol.asyncDispose]() {
      api.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
