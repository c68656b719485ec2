/** The example of gRPC has no problems, and its calls go where its routes say. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts, startProcess } from "@sallyport/testkit/process";
import { serveFiles } from "./world.ts";

const EXAMPLE = new URL("../../../examples/grpc/", import.meta.url);
const EXAMPLE_FIRST_PORT = 9201;
const VERSIONS = 2;

const toPath = (name: string): string => fileURLToPath(new URL(name, EXAMPLE));

/** The example's files, with its backends from another port on. */
function readExample(firstPort: number): Record<string, string> {
  const names = readdirSync(EXAMPLE).filter((name) => name.endsWith(".yaml"));
  const files = names.map((name): [string, string] => {
    let text = readFileSync(new URL(name, EXAMPLE), "utf8");
    for (let i = 0; i < VERSIONS; i++) text = text.replaceAll(`:${EXAMPLE_FIRST_PORT + i}"`, `:${firstPort + i}"`);
    return [name, text];
  });
  return Object.fromEntries(files);
}

/** What its client prints; undefined where a call failed. */
async function call(port: number): Promise<string | undefined> {
  const child = startProcess(process.execPath, [toPath("call.ts"), `127.0.0.1:${port}`]);
  await child.signal.until(() => child.exit() !== undefined, 20_000);
  return child.exit() === 0 ? child.output() : undefined;
}

test("calls of the example are answered by the versions its routes name", async (t) => {
  const [port = 0, firstPort = 0] = await freePorts(2);
  const backends = startProcess(process.execPath, [toPath("backends.ts"), String(firstPort)]);
  const served = await serveFiles(readExample(firstPort), ["--port-map", `8080=${port}`]);
  t.after(async () => {
    await served.close();
    await backends.stop();
  });
  const output = await eventually(() => call(port), { what: "an answer to each call" });
  assert.match(output ?? "", /hello you, says v[12]\n.*hello you, says v2\n/s);
  assert.match(output ?? "", /1 for you, says v1[^]*5 for you, says v1/);
});
