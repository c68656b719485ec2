/** The resources a Gateway comes to: its listeners and those of its ListenerSets, and whatever they refer to. */
import { DEFAULT_STREAM_OPTIONS, type Listener, type ListenerProtocol } from "@sallyport/model/listener";
import type { Resource } from "@sallyport/model/snapshot";
import type { TranslateOptions } from "../translator.ts";
import { type ClientSettings, joinTls, toConnections, toHttpOptions } from "./client-settings.ts";
import type { GatewayPlan, ListenerBind, ListenerPlan, ListenerSettings } from "./gateway-plan.ts";

/**
 * The resources of the listeners that take traffic, and of the certificates the Gateway shows on either side. `clients`: what policies
 * say of listeners.
 */
export function toGatewayResources(
  plan: GatewayPlan,
  { http }: TranslateOptions,
  clients: ReadonlyMap<ListenerBind, ClientSettings>,
): Resource[] {
  const resources: Resource[] = [];
  for (const listener of [plan.listeners, ...plan.sets.map(({ listeners }) => listeners)].flat()) {
    const { served, protocol, binds, certificates, authorities } = listener;
    if (!served || protocol === undefined) continue;
    for (const bind of binds) {
      const client = clients.get(bind) ?? plan.settings;
      resources.push({
        ...toListener(listener, protocol, bind),
        ...toTls(listener, client),
        http: toHttpOptions(http, client),
        ...toStream(plan.settings, client, protocol),
        ...toConnectionOptions(client, protocol),
      });
    }
    resources.push(...certificates, ...authorities);
  }
  const { backendCertificate } = plan;
  if (backendCertificate !== undefined && backendCertificate !== "broken") resources.push(backendCertificate);
  return resources;
}

function toListener(
  { spec, hostname }: ListenerPlan,
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
  };
}

function toTls({ tls, certificates }: ListenerPlan, client: ClientSettings): Pick<Listener, "tls"> {
  if (tls === undefined) return {};
  return { tls: { certificates: certificates.map((secret) => secret.key), ...joinTls(tls, client.tls) } };
}

/** Limits of what is passed on: what the Gateway says itself goes before what policies say. */
function toStream(
  { stream, datagram }: ListenerSettings,
  client: ClientSettings,
  protocol: ListenerProtocol,
): Pick<Listener, "stream"> {
  if (protocol === "udp") return datagram === undefined ? {} : { stream: datagram };
  const said = { ...client.stream, ...stream };
  if (protocol === "http" || protocol === "https" || Object.keys(said).length === 0) return {};
  return { stream: { ...DEFAULT_STREAM_OPTIONS, ...said } };
}

function toConnectionOptions(
  client: ClientSettings,
  protocol: ListenerProtocol,
): Pick<Listener, "proxyProtocol" | "connections"> {
  if (protocol === "udp") return {};
  const { proxyProtocol } = client;
  return { ...(proxyProtocol === undefined ? {} : { proxyProtocol }), ...toConnections(client) };
}
