// The grpc-js peer of the gRPC suite, as a program: `node-peer.ts server|client JSON`. What happens is told on standard output,
// one JSON object a line, as the Go peer tells it.
import type { CallOrder } from "./calls.ts";
import { callAll } from "./node-client.ts";
import { serve, type ServerOrder } from "./node-server.ts";

const [role, text = "{}"] = process.argv.slice(2);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by peers.ts
const order = JSON.parse(text) as ServerOrder & CallOrder;
if (role === "server") await serve(order);
else if (role === "client") await callAll(order);
else throw new Error("usage: node-peer.ts server|client JSON");
