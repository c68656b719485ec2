/** A provisioner with an API server in memory, for tests. */
import { isRecord } from "../../src/kube/field-path.ts";
import { openProvisioner } from "../../src/provision/provisioner.ts";
import type { Provisioner } from "../../src/run/contract.ts";
import { translateWorld } from "../../src/translate/run.ts";
import { sliceSnapshot } from "../../src/translate/slice.ts";
import { clusterOptions } from "../golden-world.ts";
import { loadClusterWorld } from "../load-world.ts";
import { type ApiObject, MemoryApi } from "../run/memory-api.ts";

/** Our class. */
export const CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport, uid: class }
spec: { controllerName: ${clusterOptions.controllerName} }
`;
/** A Gateway of it, to follow CLASS. */
export const EDGE = `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop, uid: edge }
spec:
  gatewayClassName: sallyport
  infrastructure: { labels: { team: edge } }
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`;
/** What its objects are called. */
export const NAME = "edge-sallyport";

/** A provisioner of its own API server. */
export class ProvisionerRig implements AsyncDisposable {
  readonly api = new MemoryApi();
  readonly lines: string[] = [];
  readonly #provisioner: Provisioner;

  constructor() {
    const add = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void this.lines.push(`${message} ${JSON.stringify(fields)}`);
    this.#provisioner = openProvisioner(this.api, {
      controllerName: clusterOptions.controllerName,
      namespace: "sallyport-system",
      image: "sallyport:test",
      codeFrom: "classes",
      controllerAddress: "sallyport-controller.sallyport-system.svc:15012",
      caCertificate: () => "CA",
      log: { error: add, warn: add, info: add, debug: () => undefined },
    });
  }

  /** Plans what these objects come to. */
  async follow(text: string): Promise<void> {
    const world = await loadClusterWorld(text);
    const { snapshot, groups } = translateWorld(world, clusterOptions);
    this.#provisioner.reconcile(world, sliceSnapshot(snapshot, groups));
  }

  /** What it tells of a group. */
  failures(group = "shop/edge"): readonly string[] {
    return this.#provisioner.failuresOf(group).map(({ message }) => message);
  }

  /** Kinds of the objects of EDGE that are there. */
  names(): string {
    return ["ServiceAccount", "ConfigMap", "Service", "Deployment"]
      .filter((kind) => this.api.get(kind, "shop", kind === "ConfigMap" ? `${NAME}-ca` : NAME) !== undefined)
      .join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provisioner.close();
  }
}

/** What `names` has once all is made. */
export const ALL = "ServiceAccount ConfigMap Service Deployment";

/** An object that somebody else made. */
export function toForeign(kind: string, name: string, metadata: object = {}): ApiObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "shop", ...metadata }, theirs: true };
}

/** What of an object is at this path. */
export function at(object: unknown, ...path: readonly string[]): unknown {
  let value = object;
  for (const step of path) value = isRecord(value) ? value[step] : undefined;
  return value;
}
