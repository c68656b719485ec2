// A backend that gives back what it was sent.
import { createServer, type Server } from "node:http";

/** A running one. */
export interface Echo {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts it. The target comes back as x-target, fields named `x-echo-...` and the body as they came. */
export async function openEcho(): Promise<Echo> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const fields = Object.entries(request.headers).filter(([name]) => name.startsWith("x-echo-"));
      response.setHeader("x-target", request.url ?? "");
      for (const [name, value = ""] of fields) response.setHeader(name, value);
      response.end(Buffer.concat(parts));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return { port: address.port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
