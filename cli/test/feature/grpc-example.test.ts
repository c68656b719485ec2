/** The example of gRPC has no problems, and its calls go where its routes say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "@sallyport/testkit/eventually";
import { freePortRun, freePorts, startProcess } from "@sallyport/testkit/process";
import { readExampleFiles } from "./example-files.ts";
import { serveFiles } from "./world.ts";

const EXAMPLE = new URL("../../../examples/grpc/", import.meta.url);
const EXAMPLE_FIRST_PORT = 9201;
const VERSIONS = 2;

const toPath = (name: string): string => fileURLToPath(new URL(name, EXAMPLE));

/** What its client prints; undefined where a call failed. */
async function call(port: number): Promise<string | undefined> {
  const child = startProcess(process.execPath, [toPath("call.ts"), `127.0.0.1:${port}`]);
  await child.signal.until(() => child.exit() !== undefined, 60_000);
  return child.exit() === 0 ? child.output() : undefined;
}

test("calls of the example are answered by the versions its routes name", async (t) => {
  const [port = 0] = await freePorts(1);
  const firstPort = await freePortRun(VERSIONS);
  const backends = startProcess(process.execPath, [toPath("backends.ts"), String(firstPort)]);
  const files = readExampleFiles(EXAMPLE, { from: EXAMPLE_FIRST_PORT, to: firstPort, count: VERSIONS });
  const served = await serveFiles(files, ["--port-map", `8080=${port}`]);
  t.after(async () => {
    await served.close();
    await backends.stop();
  });
  const output = await eventually(() => call(port), { what: "an answer to each call" });
  assert.match(output ?? "", /hello you, says v[12]\n.*hello you, says v2\n/s);
  assert.match(output ?? "", /1 for you, says v1[^]*5 for you, says v1/);
});
