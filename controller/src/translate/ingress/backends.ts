/** Backends of an Ingress: Service ports, by number or by name. */
import type { WeightedBackend } from "@sallyport/model/route";
import type { IngressBackend } from "../../kube/generated/types/ingress.ts";
import type { World } from "../../world/world.ts";
import { type Finding, hintName } from "../flaw.ts";
import { blamePart, resolveServicePort, toClusterKey } from "../service-port.ts";
import type { BackendTraffic } from "../traffic/scope.ts";
import type { IngressContext } from "./context.ts";

/** A backend, and why it is none; one that is none answers 500 for its requests. */
export interface TranslatedBackend {
  readonly backend: WeightedBackend;
  /** Absent where it is none. */
  readonly traffic?: BackendTraffic;
  readonly findings: readonly Finding[];
}

/** Translates one backend; `path` is its own in the Ingress. */
export function translateBackend(
  { world, trust, namespace, scope, layers }: IngressContext,
  backend: IngressBackend,
  path: string,
): TranslatedBackend {
  const { service, resource } = backend;
  if (service === undefined) {
    const what = resource === undefined ? "nothing" : `a resource of kind ${resource.kind}`;
    const message = `a backend must be a Service, and this one names ${what}`;
    return toInvalid("InvalidKind", { code: "unsupported-value", path, message });
  }
  const { name } = service;
  const port = service.port?.number ?? findPortNumber(world, { namespace, name }, service.port?.name);
  if (port === undefined) {
    return toInvalid(
      "BackendNotFound",
      toMissingPort(world, { namespace, name, port: service.port?.name ?? "" }, path),
    );
  }
  const target = { namespace, name, port };
  const resolved = resolveServicePort(world, target, { traffic: "http", trust });
  if (!resolved.ok) {
    const { reason, ...flaw } = resolved.error;
    return toInvalid(reason, { ...flaw, path: `${path}.service.${blamePart(world, target, resolved.error)}` });
  }
  const traffic = scope.resolve(world, target, { traffic: "http", layers });
  const { variant } = traffic;
  const cluster = toClusterKey(variant === undefined ? target : { ...target, settings: variant });
  return { backend: { kind: "cluster", cluster, weight: 1, policies: [] }, traffic, findings: [] };
}

interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

function findPortNumber(world: World, { namespace, name }: ServiceRef, wanted: string | undefined): number | undefined {
  const ports = world.get("Service", namespace, name)?.object.spec.ports ?? [];
  return ports.find((port) => port.name !== undefined && port.name === wanted)?.port;
}

function toMissingPort(
  world: World,
  { namespace, name, port: wanted }: ServiceRef & { readonly port: string },
  path: string,
): Finding {
  const service = world.get("Service", namespace, name);
  if (service === undefined) {
    const message = `there is no Service ${name} in the namespace ${namespace}`;
    return { code: "unresolved-reference", path: `${path}.service.name`, message };
  }
  const names = (service.object.spec.ports ?? []).flatMap((port) => (port.name === undefined ? [] : [port.name]));
  const message = `the Service ${namespace}/${name} has no port named ${JSON.stringify(wanted)}`;
  return {
    code: "unresolved-reference",
    path: `${path}.service.port.name`,
    message,
    ...hintName(wanted, names),
  };
}

function toInvalid(reason: string, finding: Finding): TranslatedBackend {
  return { backend: { kind: "invalid", reason, weight: 1 }, findings: [finding] };
}
