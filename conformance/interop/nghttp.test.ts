// nghttp and h2load (nghttp2) as clients: trailers, windows of odd sizes, padding, priorities, many streams.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { type Backend, openBackend, type Version } from "./backend.ts";
import { type InteropEdge, openInteropEdge } from "./edge.ts";
import { type Program, runProgram } from "./programs.ts";

const VERSIONS: readonly Version[] = ["h1", "h2"];
const TRANSPORTS = ["cleartext", "tls"] as const;

describe("nghttp", () => {
  const backends = new Map<Version, Backend>();
  let edge: InteropEdge;
  let scratch: TemporaryDirectory;

  before(async () => {
    for (const version of VERSIONS) backends.set(version, await openBackend(version));
    edge = await openInteropEdge(Object.fromEntries(backends));
    scratch = openTemporaryDirectory({ body: "body\n".repeat(100_000) });
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    for (const backend of backends.values()) backend.close();
    scratch.close();
  });

  const run = async (program: Program, transport: (typeof TRANSPORTS)[number], options: readonly string[]) => {
    const [scheme, port] = transport === "tls" ? ["https", edge.secure] : ["http", edge.cleartext];
    const url = (path: string): string => `${scheme}://127.0.0.1:${port}${path}`;
    const { code, output } = await runProgram(
      program,
      options.map((option) => (option.startsWith("/") && !option.startsWith(scratch.path) ? url(option) : option)),
    );
    assert.equal(code, 0, output);
    return output;
  };
  const to = (up: Version): readonly string[] => ["-H", `:authority: ${up}.test`];

  for (const transport of TRANSPORTS) {
    for (const up of VERSIONS) {
      const what = `over ${transport} to ${up}`;

      test(`nghttp sends and gets trailers ${what}`, async () => {
        // HTTP/1.1 has trailers only behind bodies whose length is not known before
        const body = ["--no-content-length", "--data", scratch.file("body"), "--trailer", "x-checksum: c0ffee"];
        const output = await run("nghttp", transport, ["-nv", ...to(up), "-H", "te: trailers", ...body, "/echo"]);
        assert.match(output, /:status: 200/);
        assert.match(output, /x-echoed: c0ffee/);
      });

      for (const options of [
        ["-w", "10", "-W", "10"],
        ["-w", "30", "-W", "30"],
        ["-b", "200"],
        ["-p", "1"],
        ["-p", "256"],
        ["--no-dep"],
        ["--header-table-size=0"],
        ["--header-table-size=65536", "--encoder-header-table-size=0"],
        ["--expect-continue"],
      ]) {
        test(`nghttp ${options.join(" ")} gets back all that it sent ${what}`, async () => {
          const output = await run("nghttp", transport, [
            ...options,
            ...to(up),
            "--data",
            scratch.file("body"),
            "/echo",
          ]);
          assert.equal(output.match(/^body$/gm)?.length ?? 0, 100_000);
        });
      }

      test(`h2load: 100 streams on each of 10 connections ${what}`, async () => {
        const load = ["-n", "5000", "-c", "10", "-m", "100", ...to(up), "/bytes?n=2000"];
        assert.match(await run("h2load", transport, load), /5000 succeeded, 0 failed, 0 errored, 0 timeout/);
      });

      test(`h2load: bodies both ways through the smallest windows ${what}`, async () => {
        const load = ["-n", "200", "-c", "4", "-m", "25", "-w", "14", "-W", "14", ...to(up)];
        const output = await run("h2load", transport, [...load, "-d", scratch.file("body"), "/echo"]);
        assert.match(output, /200 succeeded, 0 failed, 0 errored, 0 timeout/);
      });
    }
  }
});
