/** The quickstart is what a newcomer sees first: its files are clean and do what its README lines say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "@sallyport/testkit/eventually";
import { freePortRun, freePorts, startProcess } from "@sallyport/testkit/process";
import { readExampleFiles } from "./example-files.ts";
import { ask, serveFiles } from "./world.ts";

const EXAMPLE = new URL("../../../examples/quickstart/", import.meta.url);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const EXAMPLE_FIRST_PORT = 9100;
const BACKENDS = 3;

async function runToEnd(args: readonly string[]): Promise<string> {
  const child = startProcess(process.execPath, args);
  await child.signal.until(() => child.exit() !== undefined, 60_000);
  assert.equal(child.exit(), 0, child.output());
  return child.output();
}

/** The example's files with a certificate, and with its backends from another port on. */
async function readExample(firstPort: number): Promise<Record<string, string>> {
  const files = readExampleFiles(EXAMPLE, { from: EXAMPLE_FIRST_PORT, to: firstPort, count: BACKENDS });
  files["certificate.yaml"] = await runToEnd([
    MAIN,
    "dev-certificate",
    "--name",
    "quickstart-certificate",
    "localhost",
  ]);
  return files;
}

test("the quickstart has no problems and answers as its README says", async (t) => {
  const [http = 0, https = 0] = await freePorts(2);
  const firstPort = await freePortRun(BACKENDS);
  const backends = startProcess(process.execPath, [fileURLToPath(new URL("backends.ts", EXAMPLE)), String(firstPort)]);
  const served = await serveFiles(await readExample(firstPort), [
    "--port-map",
    `8080=${http}`,
    "--port-map",
    `8443=${https}`,
  ]);
  t.after(async () => {
    await served.close();
    await backends.stop();
  });
  assert.match(await runToEnd([MAIN, "check", served.directory.path]), /no problems/);
  const page = await eventually(
    async () => {
      assert.equal(backends.exit(), undefined, backends.output());
      const answer = await ask({ port: http, host: "localhost", path: "/" });
      return answer.status === 200 ? answer.text : undefined;
    },
    { what: "the landing page" },
  );
  assert.match(page ?? "", /Sallyport is running/);
  const pinned = await ask({ port: http, host: "localhost", path: "/echo", headers: { "x-version": "v2" } });
  assert.match(pinned.text, /"version": "v2"/);
  const split = await ask({ port: http, host: "localhost", path: "/echo" });
  assert.match(split.text, /"x-served-by": "sallyport"/);
  const moved = await ask({ port: http, host: "localhost:8080", path: "/old-echo/some/path" });
  assert.deepEqual([moved.status, moved.headers.location], [301, "http://localhost:8080/echo/some/path"]);
});
