// HAProxy: one thread, upstream connections shared by all clients.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { clientConnections, frontTraits, upstreamConnections, type Peer, type PeerSetup } from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** HAProxy as a reverse proxy: the peer that CPU budgets are set against. */
export const haproxyPeer: Peer = {
  name: "haproxy",
  deviations: () => [],
  fronts: ["http", "https", "h2", "h2c", "grpc", "tcp"],
  abilities: ["access log"],
  availability: () => availabilityOf("haproxy"),
  launch(setup: PeerSetup): Launch {
    const config = join(setup.directory, "haproxy.cfg");
    writeFileSync(config, globalConfig(setup) + (setup.front === "tcp" ? tcpConfig(setup) : httpConfig(setup)));
    return launchTool("haproxy", ["-db", "-f", config]);
  },
};

function globalConfig({ accessLog }: PeerSetup): string {
  return `global
  nbthread 1
  maxconn ${clientConnections}
  no strict-limits
${accessLog === "on" ? "  log stdout format raw local0" : ""}
defaults
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-request 10s
  timeout http-keep-alive 1h
`;
}

// The identifier is the example of HAProxy's own manual, its cheapest; %[uuid()] costs more.
function httpConfig({ front, port, backendPort, accessLog, certificate }: PeerSetup): string {
  const { tls, client, upstream } = frontTraits[front];
  const secure = tls === "on";
  const alpn = client === "http2" ? " alpn h2,http/1.1" : "";
  const listening = secure ? ` ssl crt ${certificate.pair}${alpn}` : client === "http2" ? " proto h2" : "";
  return `  mode http
  http-reuse always
  option forwardfor
${accessLog === "on" ? "  log global\n  option httplog" : ""}
frontend front
  bind 127.0.0.1:${port} backlog 4096${listening}
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto ${secure ? "https" : "http"}
  default_backend back
backend back
  server one 127.0.0.1:${backendPort} pool-max-conn ${upstreamConnections} pool-purge-delay 1h${upstream === "http2" ? " proto h2" : ""}
`;
}

function tcpConfig({ port, backendPort }: PeerSetup): string {
  return `  mode tcp
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend back
backend back
  server one 127.0.0.1:${backendPort}
`;
}
