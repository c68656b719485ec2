/** Limits of clients: heads, paths, requests on a connection, connections. */
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts client-limits` runs. */
export const clientLimits: Scenario = {
  title: "what clients may take of the gateway: heads, paths, requests on a connection, connections",
  async run(shop) {
    shop.say("a head of 3 KiB, 30 fields, an escaped slash, the health check of a load balancer:");
    const headers = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`x-${index}`, "1"]));
    const long = await shop.ask("/", { headers: { "x-long": "x".repeat(3 * 1024) } });
    const many = await shop.ask("/", { headers });
    const slash = await shop.ask("/api%2Fproducts");
    const health = await shop.ask("/balancer-health");
    shop.say(`  ${long.status}, ${many.status}, ${slash.status}, ${health.status}`);
    shop.expect(long.status === 431 && many.status === 431, "heads beyond the limits are answered 431");
    shop.expect(slash.status === 400, "escaped slashes are refused");
    shop.expect(
      health.status === 200 && health.instance === undefined,
      "the health check is answered by the gateway itself",
    );

    shop.say("a client sends six requests, on one connection as long as that is kept:");
    const ports = await sendOnOneConnection(shop.ports.gateway, 6);
    shop.say(`  from its ports ${[...new Set(ports)].join(", ")}`);
    shop.expect(
      new Set(ports.slice(0, 5)).size === 1 && ports[4] !== ports[5],
      "the connection ended after five requests",
    );
    await showConnections(shop);
  },
};

async function showConnections(shop: Shop): Promise<void> {
  await shop.until("all to leave", async () => (await shop.metric("sallyport_downstream_connections_active")) === 0);
  shop.say("clients open 30 connections, and send nothing:");
  const before = await shop.metric("sallyport_downstream_connections_limited_total");
  let closed = 0;
  const sockets = Array.from({ length: 30 }, () => connect(shop.ports.gateway, "127.0.0.1"));
  for (const socket of sockets) {
    socket.on("error", () => socket.destroy());
    socket.on("close", () => closed++).resume();
  }
  await shop.until("ten of them to be closed", () => Promise.resolve(closed >= 10));
  const limited = (await shop.metric("sallyport_downstream_connections_limited_total")) - before;
  shop.say(`  ${closed} are closed at once, ${sockets.length - closed} stay; metrics count ${limited}`);
  shop.expect(closed === 10 && limited === 10, "there are twenty, and those beyond are closed as they come");
  for (const socket of sockets) socket.destroy();
  await shop.until("room again", async () => {
    const answer = await shop.ask("/").catch(() => undefined);
    return answer?.status === 200;
  });
}

/** The client's own port for each of so many requests. */
async function sendOnOneConnection(port: number, times: number): Promise<readonly (number | undefined)[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports: (number | undefined)[] = [];
  for (let i = 0; i < times; i++) {
    const request = get({ host: "127.0.0.1", port, path: "/api/products", agent });
    request.on("response", (response) => {
      ports.push(response.socket.localPort);
      response.resume();
    });
    await once(request, "close");
  }
  agent.destroy();
  return ports;
}
