import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";
import { eventually } from "@sallyport/testkit/eventually";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { KeepAliveClient } from "./rig.ts";

const PROGRAM = fileURLToPath(new URL("./gateway-process.ts", import.meta.url));

/** A gateway process; killed at the end of its scope. */
class GatewayProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<unknown[]>;
  errors = "";
  output = "";

  private constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.child = child;
    // Not "exit": what it said last may still be on its way then.
    this.exited = once(child, "close");
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.errors += text));
  }

  static async start(...options: readonly string[]): Promise<GatewayProcess> {
    const child = spawn(process.execPath, [PROGRAM, ...options], { stdio: ["ignore", "pipe", "pipe"] });
    const process_ = new GatewayProcess(child);
    await eventually(() => process_.ports.port > 0, { within: 60_000, what: process_.errors });
    return process_;
  }

  get ports(): { readonly port: number; readonly metrics: number } {
    const line = /^\{.*\}$/m.exec(this.errors)?.[0];
    return line === undefined ? { port: 0, metrics: 0 } : (JSON.parse(line) as { port: number; metrics: number });
  }

  readOutput(): void {
    this.child.stdout.setEncoding("latin1").on("data", (text: string) => (this.output += text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.exited;
  }
}

for (const workers of ["1", "2"]) {
  test(`SIGTERM drains and ends the process with code 0, with ${workers} workers`, async () => {
    await using gateway = await GatewayProcess.start(workers);
    const client = await KeepAliveClient.open(gateway.ports.port);
    assert.equal((await client.ask()).status, 503);
    client.close();
    gateway.child.kill("SIGTERM");
    assert.deepEqual(await gateway.exited, [0, null]);
    assert.match(gateway.errors, /\nclosed\n/);
  });

  test(`a second signal ends a drain at once, with ${workers} workers`, async () => {
    await using gateway = await GatewayProcess.start(workers, "off", "30000");
    gateway.child.kill("SIGTERM");
    await eventually(async () => (await fetch(`http://127.0.0.1:${gateway.ports.metrics}/ready`)).status === 503);
    gateway.child.kill("SIGINT");
    assert.deepEqual(await gateway.exited, [0, null]);
  });
}

test("SIGUSR1 opens the access log anew, and no debugger", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("access.log");
  await using gateway = await GatewayProcess.start("2", path);
  const client = await KeepAliveClient.open(gateway.ports.port);
  await client.ask("/before");
  await eventually(() => readFileSync(path, "utf8") === "/before 503\n");
  renameSync(path, directory.file("access.log.1"));
  gateway.child.kill("SIGUSR1");
  await eventually(() => readFileSync(path, "utf8") === "");
  await client.ask("/after");
  await eventually(() => readFileSync(path, "utf8") === "/after 503\n");
  client.close();
  const debuggerSocket = connect({ port: 9229, host: "127.0.0.1" });
  const [error] = (await once(debuggerSocket, "error")) as [Error];
  assert.match(error.message, /ECONNREFUSED/);
  assert.doesNotMatch(gateway.errors, /Debugger/);
});

for (const workers of ["1", "2"]) {
  test(`standard output nobody reads stops neither traffic nor the end of the process, with ${workers} workers`, async () => {
    await using gateway = await GatewayProcess.start(workers, "-");
    gateway.child.stdout.pause();
    const client = await KeepAliveClient.open(gateway.ports.port);
    const path = `/${"x".repeat(2_000)}`;
    for (let count = 0; count < 2_000; count++) assert.equal((await client.ask(path)).status, 503);
    client.close();
    const text = await (await fetch(`http://127.0.0.1:${gateway.ports.metrics}/metrics`)).text();
    assert.match(text, /sallyport_access_log_lines_total\{outcome="dropped"\} [1-9]/);
    gateway.child.kill("SIGTERM");
    assert.deepEqual(await gateway.exited, [0, null]);
  });

  test(`standard output that is read gets every line whole, with ${workers} workers`, async () => {
    await using gateway = await GatewayProcess.start(workers, "-");
    gateway.readOutput();
    const clients = await Promise.all(Array.from({ length: 6 }, () => KeepAliveClient.open(gateway.ports.port)));
    await Promise.all(
      clients.map(async (client, index) => {
        for (let count = 0; count < 300; count++) await client.ask(`/${index}/${count}/${"x".repeat(500)}`);
        client.close();
      }),
    );
    gateway.child.kill("SIGTERM");
    await gateway.exited;
    const lines = gateway.output.trimEnd().split("\n");
    assert.equal(lines.length, 1_800);
    assert.equal(new Set(lines).size, 1_800);
    for (const line of lines) assert.match(line, /^\/\d\/\d{1,3}\/x{500} 503$/);
  });
}
