/** A gateway as a process of its own, for tests of signals: prints its ports as JSON when it serves, and how it ended. */
import { startGateway } from "../../src/workers/supervisor.ts";
import { toTestSnapshot } from "./snapshots.ts";

const [workers = "1", to = "off", minimum = "0"] = process.argv.slice(2);
const gateway = await startGateway({
  workers: Number(workers),
  metrics: { host: "127.0.0.1", port: 0 },
  accessLog: { to, format: "%REQ(:PATH)% %RESPONSE_CODE%" },
  log: { level: "error", format: "text" },
  drain: { minimum: Number(minimum), maximum: 60_000 },
  signals: "handle",
});
await gateway.apply(toTestSnapshot());
process.stderr.write(`${JSON.stringify({ port: [...gateway.ports().values()][0], metrics: gateway.metricsPort })}\n`);
await gateway.closed;
process.stderr.write("closed\n");
