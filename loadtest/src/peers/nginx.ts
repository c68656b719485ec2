// nginx: one worker, upstream connections kept alive, no temporary files for large bodies.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nginxArguments, nginxPreamble, nginxTemporaryPaths } from "../backend.ts";
import type { Launch } from "../processes.ts";
import { upstreamConnections, type Peer, type PeerSetup } from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** nginx as a reverse proxy. */
export const nginxPeer: Peer = {
  name: "nginx",
  deviations: [],
  abilities: ["access log"],
  availability: () => availabilityOf("nginx"),
  launch(setup: PeerSetup): Launch {
    const config = join(setup.directory, "nginx.conf");
    writeFileSync(config, nginxConfig(setup));
    return launchTool("nginx", nginxArguments(setup.directory, config));
  },
};

function nginxConfig({ directory, port, backendPort, accessLog }: PeerSetup): string {
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
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`;
}
