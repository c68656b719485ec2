/** The resources a Gateway comes to: its listeners and those of its ListenerSets, and whatever they refer to. */
import type { Listener, ListenerProtocol } from "@sallyport/model/listener";
import type { Resource } from "@sallyport/model/snapshot";
import type { TranslateOptions } from "../translator.ts";
import type { GatewayPlan, ListenerBind, ListenerPlan, ListenerSettings } from "./gateway-plan.ts";

/** The resources of the listeners that take traffic, and of the certificates the Gateway shows on either side. */
export function toGatewayResources(plan: GatewayPlan, { http }: TranslateOptions): Resource[] {
  const resources: Resource[] = [];
  for (const listener of [plan.listeners, ...plan.sets.map(({ listeners }) => listeners)].flat()) {
    const { served, protocol, binds, certificates, authorities } = listener;
    if (!served || protocol === undefined) continue;
    for (const bind of binds) {
      resources.push({ ...toListener(listener, protocol, bind), http, ...toSettings(plan.settings, protocol) });
    }
    resources.push(...certificates, ...authorities);
  }
  const { backendCertificate } = plan;
  if (backendCertificate !== undefined && backendCertificate !== "broken") resources.push(backendCertificate);
  return resources;
}

function toListener(
  { spec, hostname, tls, certificates }: ListenerPlan,
  protocol: ListenerProtocol,
  { key, address, port }: ListenerBind,
): Omit<Listener, "http"> {
  return {
    kind: "listener",
    key,
    port: spec.port,
    bind: { address, port },
    protocol,
    ...(hostname === undefined ? {} : { hostname }),
    ...(tls === undefined ? {} : { tls: { certificates: certificates.map((secret) => secret.key), ...tls } }),
  };
}

function toSettings(
  { stream, datagram, proxyProtocol }: ListenerSettings,
  protocol: ListenerProtocol,
): Pick<Listener, "stream" | "proxyProtocol"> {
  if (protocol === "udp") return datagram === undefined ? {} : { stream: datagram };
  const isStream = protocol !== "http" && protocol !== "https";
  return {
    ...(stream !== undefined && isStream ? { stream } : {}),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
  };
}
