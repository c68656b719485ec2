/** Changes of the directory while the gateway serves it. */
import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { ask, freePort, gatewayYaml, openEcho, routeYaml, serveFiles, serviceYaml } from "./world.ts";
import type { EchoBackend, ServedDirectory } from "./world.ts";

const HOST = "live.test";
const to = (backend: string): string => routeYaml("live", HOST, `    - backendRefs: [{ name: ${backend}, port: 80 }]`);

describe("a served directory", () => {
  let a: EchoBackend;
  let b: EchoBackend;
  let served: ServedDirectory;
  let port: number;
  const backend = async (): Promise<string | number> => {
    const answer = await ask({ port, host: HOST, path: "/" });
    return answer.echo?.backend ?? answer.status;
  };
  const write = (name: string, text: string): void => {
    const path = join(served.directory.path, name);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  };

  before(async () => {
    [a, b, port] = await Promise.all([openEcho("a"), openEcho("b"), freePort()]);
    const fixed = [
      gatewayYaml([`{ name: http, protocol: HTTP, port: ${port} }`]),
      serviceYaml("a", a.port),
      serviceYaml("b", b.port),
    ];
    served = await serveFiles({ "fixed.yaml": fixed.join(""), "route.yaml": to("a") });
  });
  after(async () => {
    await served?.close();
    await Promise.all([a?.close(), b?.close()]);
  });

  test("follows a change, and no answer on the way is anything but the old or the new one", async () => {
    assert.equal(await backend(), "a");
    write("route.yaml", to("b"));
    const answers: (string | number)[] = [];
    await eventually(async () => answers.push(await backend()) > 0 && answers.at(-1) === "b", {
      what: "the new backend",
    });
    assert.deepEqual(
      [...new Set(answers)].filter((answer) => answer !== "a" && answer !== "b"),
      [],
    );
    assert.equal(answers.indexOf("b"), answers.length - 1);
  });

  test("keeps the last good configuration through a bad edit, and says where it is bad", async () => {
    write("route.yaml", to("a"));
    await eventually(async () => (await backend()) === "a", { what: "the first backend" });
    write("route.yaml", to("b").replace("backendRefs", "backendRefz"));
    const line = await eventually(
      () => served.sallyport.process.output().match(/route\.yaml:9:\d+.*backendRefz.*/)?.[0],
      { what: "the diagnostic" },
    );
    assert.match(line ?? "", /backendRefs/);
    assert.equal(await backend(), "a");
    write("route.yaml", to("b"));
    await eventually(async () => (await backend()) === "b", { what: "the repaired file" });
  });

  test("serves a new listener and stops serving a removed one without touching the other", async () => {
    const second = await freePort();
    write(
      "second.yaml",
      gatewayYaml([`{ name: http, protocol: HTTP, port: ${second} }`])
        .replace("name: edge", "name: second")
        .replace(/^[^]*?---\n/, ""),
    );
    await eventually(
      async () => (await ask({ port: second, host: HOST, path: "/" }).catch(() => undefined))?.status === 404,
      { what: "the new listener" },
    );
    assert.equal(await backend(), "b");
    rmSync(join(served.directory.path, "second.yaml"));
    await eventually(
      () =>
        ask({ port: second, host: HOST, path: "/" }).then(
          () => false,
          () => true,
        ),
      { what: "the listener to close" },
    );
    assert.equal(await backend(), "b");
  });
});
