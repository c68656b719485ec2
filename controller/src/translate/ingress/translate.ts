/**
 * Ingresses (networking.k8s.io/v1) of our classes, without annotations of other controllers. All of them share one plain
 * listener on port 80 and, on port 443, one listener for each host that has a certificate.
 */
import type { Listener } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, RouteAttachment } from "@sallyport/model/route";
import type { Resource } from "@sallyport/model/snapshot";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, toObjectRef, toProblem } from "../flaw.ts";
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import { findServiceAddresses } from "../service-addresses.ts";
import { findTrafficPolicies } from "../traffic/policies.ts";
import type { Translate, TranslateOptions } from "../translator.ts";
import { translateBackend } from "./backends.ts";
import { findClassRemarks, findOwner, isOurs } from "./classes.ts";
import { type IngressContext, toIngressContext, toRule } from "./context.ts";
import { EVERYTHING, translateRules } from "./rules.ts";
import { type CertificatePlan, planCertificates } from "./tls.ts";
import { toFamilyTraffic, type TranslatedIngress } from "./traffic-targets.ts";

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** Translates all Ingresses. From a directory of files nobody knows at which addresses they are reached from elsewhere. */
export const translateIngresses: Translate = (world, options) => {
  const { ours, problems } = selectIngresses(world);
  if (ours.length === 0) {
    return { resources: [], statuses: [], problems, traffic: toFamilyTraffic(world, new Map(), []) };
  }
  const certificates = planCertificates(world, ours);
  const listeners = toListeners(certificates, options);
  const policies = findTrafficPolicies(world);
  const shared = { world, trust: options.trust, policies };
  const contexts = new Map(ours.map((ingress) => [ingress, toIngressContext(shared, ingress)]));
  const translated = Array.from(contexts, ([ingress, context]) => translateIngress(context, ingress, listeners));
  const loadBalancer = toLoadBalancer(world, options);
  const hosts = new Set(translated.flatMap(({ routes }) => routes.flatMap(hostsOf)));
  const defaults = Array.from(contexts, ([ingress, context]) =>
    translateDefault(context, ingress, { listeners, hosts }),
  );
  const routes = [...translated, ...defaults];
  const resources: Resource[] = [...listeners, ...[...certificates.byHost.values()].map((each) => each.certificate)];
  return {
    resources: [...resources, ...routes.flatMap((each) => each.routes)],
    statuses: ours.map((ingress) => ({ object: toObjectRef(ingress), status: { loadBalancer } })),
    problems: [
      ...problems,
      ...certificates.findings.map(({ ingress, finding }) => toProblem(ingress, finding)),
      ...routes.flatMap(({ ingress, findings }) => findings.map((finding) => toProblem(ingress, finding))),
    ],
    traffic: toFamilyTraffic(world, contexts, routes),
  };
};

/** The addresses of the Service that all of them are reached by, in the words of IngressStatus. */
function toLoadBalancer(world: World, { proxies }: TranslateOptions): unknown {
  const ref = proxies?.ingressService;
  const service = ref && world.get("Service", ref.namespace, ref.name);
  const addresses = service === undefined ? [] : findServiceAddresses(service);
  if (addresses.length === 0) return {};
  return { ingress: addresses.map(({ kind, value }) => (kind === "ip" ? { ip: value } : { hostname: value })) };
}

/** Oldest first: of two Ingresses that want the same, that one has it. */
function selectIngresses(world: World): {
  readonly ours: readonly WorldObject<"Ingress">[];
  readonly problems: readonly Problem[];
} {
  const ours: WorldObject<"Ingress">[] = [];
  const problems = world
    .list("IngressClass")
    .filter(isOurs)
    .flatMap((each) => findClassRemarks(each).map((remark) => toProblem(each, remark)));
  for (const ingress of world.list("Ingress")) {
    const owner = findOwner(world, ingress);
    if (owner.kind === "nobody") problems.push(toProblem(ingress, owner.finding));
    if (owner.kind !== "ours") continue;
    ours.push(ingress);
    problems.push(...findForeignAnnotations(ingress).map((finding) => toProblem(ingress, finding)));
  }
  return { ours: ours.toSorted((one, other) => (one.age < other.age ? -1 : 1)), problems };
}

const FOREIGN_ANNOTATION =
  /^(nginx\.ingress\.kubernetes\.io|nginx\.org|haproxy\.org|haproxy-ingress\.github\.io|traefik\.ingress\.kubernetes\.io|alb\.ingress\.kubernetes\.io|konghq\.com)\//;

/** Some of them restrict who may come in, so nobody should believe that they do. */
function findForeignAnnotations({ object: { metadata } }: WorldObject<"Ingress">): Finding[] {
  return Object.keys(metadata.annotations ?? {})
    .filter((name) => FOREIGN_ANNOTATION.test(name))
    .map((name) => ({
      code: "unsupported-value",
      path: `metadata.annotations["${name}"]`,
      message: `the annotation ${name} is another controller's and has no effect`,
    }));
}

function toListeners({ byHost }: CertificatePlan, { bindAddress, toBindPort, http }: TranslateOptions): Listener[] {
  const toBind = (port: number): Listener["bind"] => ({ address: bindAddress, port: toBindPort(port) ?? port });
  const plain: Listener = {
    kind: "listener",
    key: `Ingress/${HTTP_PORT}/${ANY_HOST}`,
    port: HTTP_PORT,
    bind: toBind(HTTP_PORT),
    protocol: "http",
    http,
  };
  const secure = Array.from(byHost, ([host, { certificate }]): Listener => ({
    kind: "listener",
    key: `Ingress/${HTTPS_PORT}/${host}`,
    port: HTTPS_PORT,
    bind: toBind(HTTPS_PORT),
    protocol: "https",
    ...(host === ANY_HOST ? {} : { hostname: host }),
    tls: { certificates: [certificate.key] },
    http,
  }));
  return [plain, ...secure];
}

/** One route for each host, because the hosts of a route are those of all its rules. */
function translateIngress(
  context: IngressContext,
  ingress: WorldObject<"Ingress">,
  listeners: readonly Listener[],
): TranslatedIngress {
  const { hosts, findings } = translateRules(context, ingress.object.spec.rules ?? []);
  const routes = hosts
    .filter(({ rules }) => rules.length > 0)
    .map(({ host, rules }): HttpRoute => ({
      kind: "http-route",
      key: `${toIngressKey(ingress)}/${host}`,
      age: ingress.age,
      attachments: attach(listeners, [host]),
      rules: [...rules],
    }));
  return { ingress, routes, findings };
}

/** Younger than everything, so that it gets what nothing else matches, of hosts that have rules as well. */
const AFTER_ALL_OTHERS = "\uFFFD";

function translateDefault(
  context: IngressContext,
  ingress: WorldObject<"Ingress">,
  { listeners, hosts }: { readonly listeners: readonly Listener[]; readonly hosts: ReadonlySet<string> },
): TranslatedIngress {
  const { defaultBackend } = ingress.object.spec;
  if (defaultBackend === undefined) return { ingress, routes: [], findings: [] };
  const backend = translateBackend(context, defaultBackend, "spec.defaultBackend");
  const route: HttpRoute = {
    kind: "http-route",
    key: `${toIngressKey(ingress)}/(default)`,
    age: `${AFTER_ALL_OTHERS}${ingress.age}`,
    attachments: attach(listeners, [ANY_HOST, ...hosts]),
    rules: [toRule(context, { matches: [EVERYTHING], id: "(default)" }, backend)],
  };
  return { ingress, routes: [route], findings: backend.findings };
}

/** The part of the hosts that each listener serves. */
function attach(listeners: readonly Listener[], hosts: readonly string[]): RouteAttachment[] {
  return listeners.flatMap(({ key, hostname = ANY_HOST }): RouteAttachment[] => {
    const shared = hosts.map((host) => intersectHostnames(hostname, host)).filter((host) => host !== undefined);
    return shared.length === 0 ? [] : [{ listener: key, hostnames: [...new Set(shared)] }];
  });
}

function hostsOf({ attachments }: HttpRoute): string[] {
  return attachments.flatMap(({ hostnames }) => hostnames);
}

function toIngressKey({ namespace, name }: WorldObject<"Ingress">): string {
  return `Ingress/${namespace}/${name}`;
}
