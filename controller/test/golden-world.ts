/** The worlds of the golden folders, for tests that hold for any world. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { kindNames } from "../src/kube/kinds.ts";
import { toClusterBindPort } from "../src/translate/bind-port.ts";
import { CLUSTER_TRUST, FULL_TRUST } from "../src/translate/service-trust.ts";
import type { TranslateOptions } from "../src/translate/translator.ts";
import type { AnyWorldObject } from "../src/world/indexed-world.ts";
import type { World } from "../src/world/world.ts";
import { loadWorld } from "./load-world.ts";

/** Where the golden folders are. */
export const goldenRoot: string = join(import.meta.dirname, "golden");

/** Options of every golden case; low ports are moved as in a container that may not bind them. */
export const goldenOptions: TranslateOptions = {
  controllerName: "sallyport.io/gateway-controller",
  toBindPort: (port) => (port === 80 || port === 443 ? port + 10_000 : port),
  bindAddress: "0.0.0.0",
  http: DEFAULT_HTTP_SERVER_OPTIONS,
  trust: FULL_TRUST,
};

/** The GatewayClass of the controller that these options name, as YAML. */
export const GATEWAY_CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport }
spec: { controllerName: ${goldenOptions.controllerName} }
`;

/** Options in a cluster where all proxies do well. */
export const clusterOptions: TranslateOptions = {
  ...goldenOptions,
  toBindPort: toClusterBindPort,
  trust: CLUSTER_TRUST,
  proxies: {
    obstaclesOf: () => [],
    ingressService: { namespace: "sallyport-system", name: "sallyport-ingress" },
  },
};

/** Names of all golden folders, sorted. */
export const goldenNames: readonly string[] = readdirSync(goldenRoot, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  .toSorted();

/** The world of one golden folder, and what decoding had to say. */
export function loadGolden(name: string): ReturnType<typeof loadWorld> {
  const [input, prelude] = [join(goldenRoot, name, "input.yaml"), join(goldenRoot, "prelude.yaml")];
  return loadWorld({ "input.yaml": readFileSync(input, "utf8"), "prelude.yaml": readFileSync(prelude, "utf8") });
}

/** All objects of a world. */
export function objectsOf(world: World): AnyWorldObject[] {
  // A list of one kind has objects of that kind, which TypeScript cannot follow over all kinds.
  return kindNames.flatMap((kind) => world.list(kind) as readonly AnyWorldObject[]);
}
