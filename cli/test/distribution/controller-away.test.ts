import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fetchLocal, freePorts, type RunningProcess, startProcess } from "@sallyport/testkit/process";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { GROUP } from "./rig.ts";

const PATIENCE = 60_000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const CONTROLLER = fileURLToPath(new URL("controller-process.ts", import.meta.url));

interface Greeting {
  readonly port: number;
  readonly trusted: string;
  readonly token: string;
}

const started: RunningProcess[] = [];
after(() => Promise.all(started.map((process) => process.stop(0))));

/** Runs a file of this repository; what is left of it when a test failed is ended. */
function start(...args: readonly string[]): RunningProcess {
  const child = startProcess(process.execPath, args);
  started.push(child);
  return child;
}

async function startController(
  port: number,
): Promise<{ readonly process: RunningProcess; readonly greeting: Greeting }> {
  const controller = start(CONTROLLER, "one", String(port));
  await untilSaid(controller, "\n");
  const [line = ""] = controller.output().split("\n");
  return { process: controller, greeting: JSON.parse(line) as Greeting };
}

function startProxy(directory: TemporaryDirectory, controllerPort: number, metricsPort: number): RunningProcess {
  return start(
    ...[MAIN, "gateway", "--group", GROUP, "--controller", `localhost:${controllerPort}`],
    ...["--ca", directory.file("ca.crt"), "--token", directory.file("token"), "--state-dir", directory.file("state")],
    ...["--admin", "127.0.0.1:0", "--metrics", `127.0.0.1:${metricsPort}`, "--access-log", "off"],
    ...["--min-drain", "0", "--max-drain", "1"],
  );
}

/** Fails with all that it said where it ends or never says it. */
async function untilSaid(process: RunningProcess, text: string): Promise<void> {
  const isOver = (): boolean => process.output().includes(text) || process.exit() !== undefined;
  await process.signal.until(isOver, PATIENCE);
  assert.ok(process.output().includes(text), `did not say ${JSON.stringify(text)}: ${process.output()}`);
}

async function untilReady(proxy: RunningProcess, metricsPort: number): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while ((await fetchLocal(metricsPort, "/ready")).status !== 200) {
    assert.ok(Date.now() < deadline && proxy.exit() === undefined, proxy.output());
    await proxy.signal.until(() => false, 25);
  }
}

test("a controller that is killed takes no traffic along, and a proxy that starts then serves what it had", async () => {
  using directory = openTemporaryDirectory();
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const controller = await startController(port);
  directory.write("ca.crt", controller.greeting.trusted);
  directory.write("token", controller.greeting.token);
  const first = startProxy(directory, controller.greeting.port, metricsPort);
  await untilReady(first, metricsPort);
  await untilSaid(first, "configuration applied");

  controller.process.kill("SIGKILL");
  await untilSaid(first, "no connection to the controller");
  // A route without backends is answered by the gateway itself, whoever configured it.
  assert.equal((await fetchLocal(port, "/0")).status, 500);
  assert.match((await fetchLocal(metricsPort, "/metrics")).body, /sallyport_config_controller_connected 0/);
  await first.stop(PATIENCE);
  assert.equal(first.exit(), 0);

  const second = startProxy(directory, controller.greeting.port, metricsPort);
  await untilReady(second, metricsPort);
  assert.match(second.output(), /serving the configuration kept on disk/);
  assert.equal((await fetchLocal(port, "/0")).status, 500);
  await second.stop(PATIENCE);

  const kept = directory.file("state/last-good.jsonl");
  assert.equal(statSync(kept).mode & 0o777, 0o600);
  writeFileSync(kept, readFileSync(kept, "utf8").replace("shop/route-0", "shop/route-1"));
  const third = startProxy(directory, controller.greeting.port, metricsPort);
  await untilSaid(third, "its checksum is wrong");
  assert.equal((await fetchLocal(metricsPort, "/ready")).status, 503);
  await third.stop(PATIENCE);
});
