/** One reference to a backend: from a route to a Service port, as far as kinds, grants and the Service allow. */
import { fail, ok, type Result } from "@sallyport/model/result";
import type { HTTPRouteBackendObjectRef } from "../../kube/generated/types/http-route.ts";
import type { World } from "../../world/world.ts";
import { type Flaw, hintName } from "../flaw.ts";
import { blamePart, type ServicePortRef, resolveCluster } from "../service-port.ts";
import type { BackendTraffic } from "../traffic/scope.ts";
import { type CrossReference, hintGrant, isPermitted } from "../grants.ts";
import type { RouteContext } from "./route-context.ts";

/** A backend that there is. */
export interface ResolvedBackend {
  /** Key of its cluster. */
  readonly cluster: string;
  readonly traffic: BackendTraffic;
}

/** The backend a reference means, or why it means none. `path` is that of the reference. */
export function resolveBackend(
  context: RouteContext,
  ref: HTTPRouteBackendObjectRef,
  path: string,
): Result<ResolvedBackend, Flaw> {
  const { world, route } = context;
  if (ref.group !== "" || ref.kind !== "Service") return fail(toForeignKind(ref, path));
  const namespace = ref.namespace ?? route.namespace;
  const reference: CrossReference = {
    from: { group: route.group, kind: route.kind, namespace: route.namespace },
    to: { group: ref.group, kind: ref.kind, namespace, name: ref.name },
  };
  if (!isPermitted(world, reference)) {
    return fail({
      reason: "RefNotPermitted",
      code: "reference-not-permitted",
      path: `${path}.namespace`,
      message: `the Service ${namespace}/${ref.name} is in another namespace, which does not permit the reference`,
      hint: hintGrant(reference),
    });
  }
  if (ref.port === undefined) return fail(toMissingPort(world, { namespace, name: ref.name }, path));
  const target = { namespace, name: ref.name, port: ref.port };
  const resolved = resolveUse(context, target);
  if (resolved.ok) return resolved;
  return fail({ ...resolved.error, path: `${path}.${blamePart(world, target, resolved.error)}` });
}

function resolveUse(
  { world, traffic, trust, clientCertificate, scope, layers }: RouteContext,
  target: ServicePortRef,
): Result<ResolvedBackend, Omit<Flaw, "path">> {
  const found = scope.resolve(world, target, { traffic, layers });
  const settings = found.variant;
  const cluster = resolveCluster(world, target, {
    traffic,
    trust,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(settings === undefined ? {} : { settings }),
  });
  return cluster.ok ? ok({ cluster: cluster.value, traffic: found }) : cluster;
}

function toForeignKind({ group, kind }: HTTPRouteBackendObjectRef, path: string): Flaw {
  return {
    reason: "InvalidKind",
    code: "unsupported-value",
    path: group === "" ? `${path}.kind` : `${path}.group`,
    message: `a backend must be a Service, not a ${kind}${group === "" ? "" : ` of ${group}`}`,
    ...(group === "" ? hintName(kind, ["Service"]) : {}),
  };
}

function toMissingPort(
  world: World,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  path: string,
): Flaw {
  const ports = world.get("Service", namespace, name)?.object.spec.ports?.map(({ port }) => port) ?? [];
  return {
    reason: "BackendNotFound",
    code: "unresolved-reference",
    path,
    message: `the reference to the Service ${namespace}/${name} names no port`,
    ...(ports.length > 0 ? { hint: `it has ${ports.join(", ")}` } : {}),
  };
}
