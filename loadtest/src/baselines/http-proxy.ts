// Baseline: the http-proxy-3 package on node:http.
import { randomUUID } from "node:crypto";
import { Agent, createServer } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { baselineOptions, idleTimeoutMs } from "./options.ts";

const { port, backendPort, connections } = baselineOptions();
const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
const proxy = createProxyServer({ target: `http://127.0.0.1:${backendPort}`, agent, xfwd: true });

proxy.on("proxyReq", (outgoing) => outgoing.setHeader("x-request-id", randomUUID()));
proxy.on("error", (_error, _request, response) => response.destroy());

const server = createServer((request, response) => proxy.web(request, response));
server.keepAliveTimeout = idleTimeoutMs;
server.listen({ port, host: "127.0.0.1", backlog: 4096 });
