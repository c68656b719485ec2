// Sallyport on a directory of its own, for tests that change the directory or the circumstances.
import { fetchLocal, freePorts, startProcess, startSallyport } from "@sallyport/testkit/process";
import type { RunningProcess, Sallyport, SallyportOptions } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { gatewayObjects } from "../system.ts";
import { plain } from "./asking.ts";

/** A gateway with one listener and one backend that answers `ok`; more objects can be written beside them. */
export interface Edge extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly sallyport: Sallyport;
  readonly port: number;
  readonly upstream: RawUpstream;
}

/** Starts it; `files` are written before. */
export async function openEdge(
  options: Omit<SallyportOptions, "directory"> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Edge> {
  const upstream = await RawUpstream.open(() => plain());
  const [port = 0] = await freePorts(1);
  const gateway = gatewayObjects([{ port, backend: upstream.port }]);
  const directory = openTemporaryDirectory({ "gateway.yaml": gateway, ...files });
  const closeRest = async (): Promise<void> => {
    await upstream.close();
    directory.close();
  };
  try {
    const sallyport = await startSallyport({ ...options, directory: directory.path });
    const close = async (): Promise<void> => {
      await sallyport.stop();
      await closeRest();
    };
    return { directory, sallyport, port, upstream, [Symbol.asyncDispose]: close };
  } catch (error) {
    await closeRest();
    throw error;
  }
}

/** Runs the command on a directory that it cannot serve, and resolves when it has ended (or `milliseconds` are over). */
export async function runToEnd(directory: string, extra: readonly string[] = [], prefix = ""): Promise<RunningProcess> {
  const main = new URL("../../cli/src/main.ts", import.meta.url).pathname;
  const [admin = 0, metrics = 0] = await freePorts(2);
  const fixed = ["--admin", `127.0.0.1:${admin}`, "--metrics", `127.0.0.1:${metrics}`, "--bind", "127.0.0.1"];
  const words = [process.execPath, main, "run", directory, ...fixed, ...extra];
  const line = `${prefix === "" ? "exec" : prefix} ${words.map((word) => `'${word}'`).join(" ")}`;
  const child = startProcess("/bin/sh", ["-c", line]);
  await child.signal.until(() => child.exit() !== undefined, 20_000);
  if (child.exit() === undefined) await child.stop(500);
  return child;
}

/** The sum of a metric's samples whose labels contain `labels`; NaN if there is none. */
export async function readMetric(sallyport: Sallyport, name: string, labels = ""): Promise<number> {
  const { body } = await fetchLocal(sallyport.metricsPort, "/metrics");
  const samples = body
    .split("\n")
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels));
  if (samples.length === 0) return Number.NaN;
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
