// nginx: one worker, upstream connections kept alive, no temporary files for large bodies; its stream module for TCP and UDP.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nginxArguments, nginxPreamble, nginxTemporaryPaths } from "../backend.ts";
import type { Launch } from "../processes.ts";
import { nginxStreamModule } from "../tools.ts";
import { everyFront, frontTraits, upstreamConnections, type Peer, type PeerSetup } from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** nginx as a reverse proxy: the peer that budgets of TLS are set against. */
export const nginxPeer: Peer = {
  name: "nginx",
  deviations: () => [],
  fronts: everyFront,
  abilities: ["access log"],
  availability: () => availabilityOf("nginx"),
  launch(setup: PeerSetup): Launch {
    const config = join(setup.directory, "nginx.conf");
    const stream = setup.front === "tcp" || setup.front === "udp";
    writeFileSync(config, stream ? streamConfig(setup) : httpConfig(setup));
    return launchTool("nginx", nginxArguments(setup.directory, config));
  },
};

function httpConfig({ directory, front, port, backendPort, accessLog, certificate }: PeerSetup): string {
  const { tls, client, upstream } = frontTraits[front];
  const secure = tls === "on";
  return `${nginxPreamble(directory)}
http {
${nginxTemporaryPaths(directory)}
  access_log ${accessLog === "on" ? `${directory}/access.log combined` : "off"};
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive ${upstreamConnections};
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096${secure ? " ssl" : ""}${client === "http2" ? " http2" : ""};
${secure ? tlsDirectives(certificate) : ""}
    location / {
${upstream === "http2" ? grpcDirectives : proxyDirectives}
    }
  }
}
`;
}

const proxyDirectives = `      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      client_max_body_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id $request_id;`;

const grpcDirectives = `      grpc_pass grpc://backend;
      grpc_read_timeout 1h;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      grpc_set_header X-Forwarded-Proto $scheme;
      grpc_set_header X-Request-Id $request_id;`;

// Tickets are on by default; they hold the session themselves, so no cache of sessions is needed.
function tlsDirectives({ cert, key }: PeerSetup["certificate"]): string {
  return `    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;`;
}

function streamConfig({ directory, front, port, backendPort }: PeerSetup): string {
  return `load_module ${nginxStreamModule()};
${nginxPreamble(directory)}
stream {
  proxy_timeout 1h;
  server {
    listen 127.0.0.1:${port}${front === "udp" ? " udp" : " backlog=4096"};
    proxy_pass 127.0.0.1:${backendPort};
  }
}
`;
}
