/**
 * The annotation `sallyport.io/endpoints` of a Service: its endpoints, for people without Kubernetes. A comma-separated
 * list of `host:port`, `[IPv6]:port` or just the host, which then has the Service's targetPort (else its port). The list
 * holds for every port of the Service. It has no weights: shares between groups of endpoints are weights of backendRefs.
 */
import type { ServicePort } from "../../kube/generated/types/service.ts";
import type { Finding } from "../flaw.ts";
import { toIpVersion } from "../ip-address.ts";
import { ENDPOINTS_ANNOTATION } from "../service-trust.ts";

/** One entry: an address, or a name to be resolved by DNS (lower case). */
export interface StaticEndpoint {
  readonly kind: "address" | "name";
  readonly host: string;
  readonly port: number;
}

/** What was understood of a list, without repetitions, and what was not. */
export interface StaticEndpoints {
  readonly endpoints: readonly StaticEndpoint[];
  readonly findings: readonly Finding[];
}

/** Reads the list for one port of the Service. Entries that are malformed are left out and reported. */
export function parseStaticEndpoints(list: string, port: Pick<ServicePort, "port" | "targetPort">): StaticEndpoints {
  const endpoints = new Map<string, StaticEndpoint>();
  const findings: Finding[] = [];
  for (const [index, text] of list.split(",").entries()) {
    const entry = text.trim();
    const parsed = parseEntry(entry, port);
    if (typeof parsed === "string") findings.push(toFinding(entry, index, parsed));
    else endpoints.set(`${parsed.host} ${parsed.port}`, parsed);
  }
  return { endpoints: [...endpoints.values()], findings };
}

/** The endpoint that a host stands for at this port, or what is wrong with the host. */
export function toStaticEndpoint(host: string, port: number): StaticEndpoint | string {
  if (toIpVersion(host) !== undefined) return { kind: "address", host, port };
  return isDnsName(host)
    ? { kind: "name", host: host.toLowerCase(), port }
    : `${host} is neither an address nor a name`;
}

/** The endpoint, or what is wrong with the entry. */
function parseEntry(entry: string, port: Pick<ServicePort, "port" | "targetPort">): StaticEndpoint | string {
  if (entry === "") return "it is empty";
  if (toIpVersion(entry) === 6) return parseEndpoint(entry, undefined, port);
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(entry);
  if (parts === null) return "it is not host:port; an IPv6 address with a port needs brackets";
  const [, bracketed, bare = "", portText] = parts;
  if (bracketed !== undefined && toIpVersion(bracketed) !== 6) return `${bracketed} is not an IPv6 address`;
  return parseEndpoint(bracketed ?? bare, portText, port);
}

function parseEndpoint(
  host: string,
  portText: string | undefined,
  port: Pick<ServicePort, "port" | "targetPort">,
): StaticEndpoint | string {
  const number = portText === undefined ? toDefaultPort(port) : parsePort(portText);
  if (number === undefined) {
    return portText === undefined
      ? `it has no port and the Service's targetPort ${port.targetPort} is a name`
      : `${portText} is not a port between 1 and 65535`;
  }
  return toStaticEndpoint(host, number);
}

function toDefaultPort({ port, targetPort }: Pick<ServicePort, "port" | "targetPort">): number | undefined {
  if (typeof targetPort === "string") return targetPort === "" ? port : parsePort(targetPort);
  return targetPort === 0 ? port : targetPort;
}

function parsePort(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? number : undefined;
}

/** RFC 1123 section 2.1, with the underscores that container names have; a last label of digits is a broken address. */
function isDnsName(host: string): boolean {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  const labels = name.split(".");
  return (
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}

function toFinding(entry: string, index: number, flaw: string): Finding {
  return {
    code: "invalid-value",
    path: `metadata.annotations["${ENDPOINTS_ANNOTATION}"]`,
    message: `entry ${index + 1} (${JSON.stringify(entry)}) is left out: ${flaw}`,
    hint: "write endpoints as 127.0.0.1:9000, [::1]:9000 or backend.example:9000, separated by commas",
  };
}
