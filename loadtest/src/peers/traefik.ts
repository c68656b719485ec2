// Traefik: file provider, held to one running goroutine at a time.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { everyFront, frontTraits, upstreamConnections, type Peer, type PeerSetup } from "./peer.ts";
import { availabilityOf, launchTool } from "./packaged.ts";

/** Traefik as a reverse proxy. */
export const traefikPeer: Peer = {
  name: "traefik",
  deviations: (front) =>
    frontTraits[front].client.startsWith("http")
      ? ["Traefik cannot make a request id without a plug-in: it adds a constant X-Request-Id, which is cheaper."]
      : [],
  fronts: everyFront,
  abilities: ["access log"],
  availability: () => availabilityOf("traefik"),
  launch(setup: PeerSetup): Launch {
    const dynamic = join(setup.directory, "dynamic.json");
    const config = join(setup.directory, "traefik.json");
    writeFileSync(dynamic, JSON.stringify(dynamicConfig(setup)));
    writeFileSync(config, JSON.stringify(staticConfig(setup, dynamic)));
    const launch = launchTool("traefik", [`--configFile=${config}`]);
    return { ...launch, env: { ...launch.env, GOMAXPROCS: "1" } };
  },
};

function staticConfig(setup: PeerSetup, dynamic: string): unknown {
  const accessLog = setup.accessLog === "on" ? { accessLog: { filePath: join(setup.directory, "access.log") } } : {};
  return {
    ...accessLog,
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: "ERROR" },
    entryPoints: {
      front: {
        address: `127.0.0.1:${setup.port}${setup.front === "udp" ? "/udp" : ""}`,
        transport: { respondingTimeouts: { idleTimeout: "1h", readTimeout: "1h" } },
      },
    },
    serversTransport: { maxIdleConnsPerHost: upstreamConnections },
    providers: { file: { filename: dynamic, watch: false } },
  };
}

function dynamicConfig(setup: PeerSetup): unknown {
  if (setup.front === "tcp" || setup.front === "udp") return streamConfig(setup, setup.front);
  const { cert, key } = setup.certificate;
  const pair = { certFile: cert, keyFile: key };
  // With a default certificate, clients that name no host or another one are served all the same.
  const { tls, upstream } = frontTraits[setup.front];
  const secure = tls === "on";
  const scheme = upstream === "http2" ? "h2c" : "http";
  return {
    ...(secure ? { tls: { certificates: [pair], stores: { default: { defaultCertificate: pair } } } } : {}),
    http: {
      routers: {
        all: {
          rule: "PathPrefix(`/`)",
          service: "back",
          middlewares: ["id"],
          entryPoints: ["front"],
          ...(secure ? { tls: {} } : {}),
        },
      },
      middlewares: { id: { headers: { customRequestHeaders: { "X-Request-Id": "0123456789abcdef" } } } },
      services: { back: { loadBalancer: { servers: [{ url: `${scheme}://127.0.0.1:${setup.backendPort}` }] } } },
    },
  };
}

function streamConfig({ backendPort }: PeerSetup, front: "tcp" | "udp"): unknown {
  const rule = front === "tcp" ? { rule: "HostSNI(`*`)" } : {};
  return {
    [front]: {
      routers: { all: { ...rule, service: "back", entryPoints: ["front"] } },
      services: { back: { loadBalancer: { servers: [{ address: `127.0.0.1:${backendPort}` }] } } },
    },
  };
}
