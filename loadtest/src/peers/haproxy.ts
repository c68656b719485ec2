// HAProxy: one thread, upstream connections shared by all clients.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { clientConnections, upstreamConnections, type Peer, type PeerSetup } from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** HAProxy as a reverse proxy: the peer that CPU budgets are set against. */
export const haproxyPeer: Peer = {
  name: "haproxy",
  deviations: [],
  abilities: ["access log"],
  availability: () => availabilityOf("haproxy"),
  launch(setup: PeerSetup): Launch {
    const config = join(setup.directory, "haproxy.cfg");
    writeFileSync(config, haproxyConfig(setup));
    return launchTool("haproxy", ["-db", "-f", config]);
  },
};

// The identifier is the example of HAProxy's own manual, its cheapest; %[uuid()] costs more.
function haproxyConfig({ port, backendPort, accessLog }: PeerSetup): string {
  return `global
  nbthread 1
  maxconn ${clientConnections}
  no strict-limits
${accessLog === "on" ? "  log stdout format raw local0" : ""}
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-request 10s
  timeout http-keep-alive 1h
  http-reuse always
  option forwardfor
${accessLog === "on" ? "  log global\n  option httplog" : ""}
frontend front
  bind 127.0.0.1:${port} backlog 4096
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
  default_backend back
backend back
  server one 127.0.0.1:${backendPort} pool-max-conn ${upstreamConnections} pool-purge-delay 1h
`;
}
