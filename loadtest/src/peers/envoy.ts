// Envoy: one worker thread, X-Forwarded-For and X-Request-Id as its HTTP connection manager adds them by default.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import {
  clientConnections,
  everyFront,
  frontTraits,
  upstreamConnections,
  upstreamStreams,
  type Peer,
  type PeerSetup,
} from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** Envoy as a reverse proxy: the second peer that budgets are set against. */
export const envoyPeer: Peer = {
  name: "envoy",
  deviations: () => [],
  fronts: everyFront,
  abilities: ["access log"],
  availability: () => availabilityOf("envoy"),
  launch(setup: PeerSetup): Launch {
    const config = join(setup.directory, "envoy.json");
    writeFileSync(config, JSON.stringify(bootstrap(setup)));
    return launchTool("envoy", ["-c", config, "--concurrency", "1", "--disable-hot-restart", "-l", "error"]);
  },
};

const apiTypes = "type.googleapis.com/envoy";

function bootstrap(setup: PeerSetup): unknown {
  return {
    admin: { address: socketAddress(setup.sparePorts[0]) },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type": `${apiTypes}.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`,
            max_active_downstream_connections: clientConnections,
          },
        },
      ],
    },
    static_resources: {
      listeners: [setup.front === "udp" ? datagramListener(setup.port) : listener(setup)],
      clusters: [cluster(setup)],
    },
  };
}

function socketAddress(port: number, protocol: "TCP" | "UDP" = "TCP"): unknown {
  return { socket_address: { address: "127.0.0.1", port_value: port, protocol } };
}

function listener(setup: PeerSetup): unknown {
  const filter = setup.front === "tcp" ? tcpProxy() : connectionManager(setup);
  const secure = frontTraits[setup.front].tls === "on" ? { transport_socket: downstreamTls(setup) } : {};
  return { name: "front", address: socketAddress(setup.port), filter_chains: [{ filters: [filter], ...secure }] };
}

function downstreamTls({ certificate, front }: PeerSetup): unknown {
  const pair = { certificate_chain: { filename: certificate.cert }, private_key: { filename: certificate.key } };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${apiTypes}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      common_tls_context: {
        tls_certificates: [pair],
        ...(frontTraits[front].client === "http2" ? { alpn_protocols: ["h2", "http/1.1"] } : {}),
      },
    },
  };
}

function tcpProxy(): unknown {
  return {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": `${apiTypes}.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
      stat_prefix: "front",
      cluster: "back",
    },
  };
}

function datagramListener(port: number): unknown {
  return {
    name: "front",
    address: socketAddress(port, "UDP"),
    listener_filters: [
      {
        name: "envoy.filters.udp_listener.udp_proxy",
        typed_config: {
          "@type": `${apiTypes}.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig`,
          stat_prefix: "front",
          matcher: {
            on_no_match: {
              action: {
                name: "route",
                typed_config: { "@type": `${apiTypes}.extensions.filters.udp.udp_proxy.v3.Route`, cluster: "back" },
              },
            },
          },
        },
      },
    ],
  };
}

function connectionManager(setup: PeerSetup): unknown {
  const accessLog = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": `${apiTypes}.extensions.access_loggers.file.v3.FileAccessLog`,
      path: join(setup.directory, "access.log"),
    },
  };
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": `${apiTypes}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "front",
      codec_type: codecOf(setup),
      use_remote_address: true,
      access_log: setup.accessLog === "on" ? [accessLog] : [],
      route_config: {
        virtual_hosts: [
          {
            name: "all",
            domains: ["*"],
            // Without a limit: its default of 15 s would end long answers and held streams.
            routes: [{ match: { prefix: "/" }, route: { cluster: "back", timeout: "0s" } }],
          },
        ],
      },
      http_filters: [
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": `${apiTypes}.extensions.filters.http.router.v3.Router` },
        },
      ],
    },
  };
}

function codecOf({ front }: PeerSetup): "HTTP1" | "HTTP2" | "AUTO" {
  const { client, tls } = frontTraits[front];
  if (client !== "http2") return "HTTP1";
  return tls === "on" ? "AUTO" : "HTTP2";
}

function cluster({ front, backendPort }: PeerSetup): unknown {
  const { upstream } = frontTraits[front];
  const address = socketAddress(backendPort, upstream === "datagrams" ? "UDP" : "TCP");
  const requests = upstream === "http2" ? upstreamStreams : 4096;
  return {
    name: "back",
    type: "STATIC",
    ...(upstream === "http2" ? { typed_extension_protocol_options: http2Upstream() } : {}),
    circuit_breakers: {
      thresholds: [{ max_connections: upstreamConnections, max_pending_requests: requests, max_requests: requests }],
    },
    load_assignment: { cluster_name: "back", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function http2Upstream(): unknown {
  return {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": `${apiTypes}.extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
}
