// curl (libcurl with nghttp2) as the client, over TLS and with prior knowledge.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { type Backend, digestOfBytes, openBackend, type Version } from "./backend.ts";
import { type InteropEdge, openInteropEdge } from "./edge.ts";
import { runProgram } from "./programs.ts";

const VERSIONS: readonly Version[] = ["h1", "h2"];
const LARGE = 10 << 20;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("curl", async () => {
  const release = Number(/^curl (\d+)/.exec((await runProgram("curl", ["--version"])).output)?.[1]);
  const backends = new Map<Version, Backend>();
  let edge: InteropEdge;
  let scratch: TemporaryDirectory;

  before(async () => {
    for (const version of VERSIONS) backends.set(version, await openBackend(version));
    edge = await openInteropEdge(Object.fromEntries(backends));
    scratch = openTemporaryDirectory({ "ca.pem": edge.ca });
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    for (const backend of backends.values()) backend.close();
    scratch.close();
  });

  /** Asks, and returns what `--write-out` prints of the last answer: version and status, and the whole output. */
  const curl = async (
    transport: "cleartext" | "tls",
    path: string,
    options: readonly string[],
  ): Promise<{ readonly version: string; readonly status: string; readonly output: string }> => {
    const port = transport === "tls" ? edge.secure : edge.cleartext;
    const host = path.slice(0, path.indexOf("/"));
    const common = ["--silent", "--show-error", "--max-time", "30", "--resolve", `${host}:${port}:127.0.0.1`];
    const speak = transport === "tls" ? ["--http2", "--cacert", scratch.file("ca.pem")] : ["--http2-prior-knowledge"];
    const url = `${transport === "tls" ? "https" : "http"}://${host}:${port}${path.slice(host.length)}`;
    const report = ["--write-out", "\nended %{http_version} %{http_code}"];
    const { code, output } = await runProgram("curl", [...common, ...speak, ...report, ...options, url]);
    assert.equal(code, 0, output);
    const [, version = "", status = ""] = /\nended (\S+) (\d+)/.exec(output) ?? [];
    return { version, status, output };
  };

  for (const transport of ["cleartext", "tls"] as const) {
    for (const up of VERSIONS) {
      const what = `over ${transport} to ${up}`;

      test(`GET and HEAD ${what}`, async () => {
        const got = await curl(transport, `${up}.test/`, ["--include"]);
        assert.deepEqual([got.version, got.status], ["2", "200"]);
        assert.match(got.output, new RegExp(`x-backend: ${up}\r\n.*\r\nhello`, "s"));
        const head = await curl(transport, `${up}.test/`, ["--head"]);
        assert.deepEqual([head.version, head.status], ["2", "200"]);
        assert.match(head.output, /content-length: 5\r\n/);
      });

      test(`10 MiB up and down ${what}`, async () => {
        const body = randomBytes(LARGE);
        scratch.write("body", body);
        const upload = ["--data-binary", `@${scratch.file("body")}`, "--output", scratch.file("answer")];
        const up10 = await curl(transport, `${up}.test/echo`, upload);
        assert.deepEqual([up10.version, up10.status], ["2", "200"]);
        assert.equal(sha256(readFileSync(scratch.file("answer"))), sha256(body));
        await curl(transport, `${up}.test/bytes?n=${LARGE}`, ["--output", scratch.file("answer")]);
        assert.equal(sha256(readFileSync(scratch.file("answer"))), digestOfBytes(LARGE));
      });

      test(`a body without a length, and one that waits for 100 ${what}`, async () => {
        scratch.write("body", "from a file");
        const upload = ["--request", "POST", "--upload-file", scratch.file("body"), "--include"];
        const streamed = await curl(transport, `${up}.test/echo`, [...upload, "--header", "Content-Length:"]);
        assert.match(streamed.output, /from a file/);
        const waited = await curl(transport, `${up}.test/echo`, [...upload, "--header", "Expect: 100-continue"]);
        assert.match(waited.output, /from a file/);
        assert.equal(waited.status, "200");
      });

      test(`103, 204, 304 and an answer before the body ${what}`, async () => {
        const hints = await curl(transport, `${up}.test/hints`, ["--include"]);
        assert.match(hints.output, /^HTTP\/2 103 \r\n.*x-hint: early\r\n.*HTTP\/2 200 \r\n/s);
        assert.equal((await curl(transport, `${up}.test/no-content`, [])).status, "204");
        assert.equal((await curl(transport, `${up}.test/not-modified`, [])).status, "304");
        scratch.write("body", Buffer.alloc(1 << 20));
        const early = await curl(transport, `${up}.test/early`, ["--data-binary", `@${scratch.file("body")}`]);
        assert.deepEqual([early.status, early.output.includes("hello")], ["413", true]);
      });

      test(`trailers of an answer ${what}`, async () => {
        const options = ["--data", "x", "--header", "TE: trailers", "--include"];
        const got = await curl(transport, `${up}.test/echo`, options);
        assert.match(got.output, /x-echoed: none/);
      });

      // behind the first by prior knowledge, curl 7.88 fails its requests before it has sent a byte of them, to nginx and nghttpd, too
      const skip = transport === "cleartext" && release < 8 && "curl before 8.0 cannot multiplex by prior knowledge";
      test(`fifty at once on one connection ${what}`, { skip }, async () => {
        const paths = `${up}.test/bytes?n=100000&i=[1-50]`;
        const discard = ["--parallel", "--parallel-max", "50", "--output", scratch.file("part-#1")];
        const report = ["--write-out", "%{http_version} %{http_code} %{size_download}\n"];
        const { output } = await curl(transport, paths, [...discard, ...report]).catch((error: unknown) => {
          throw new Error("curl --parallel", { cause: error });
        });
        assert.equal(output.match(/^2 200 100000$/gm)?.length, 50, output);
      });
    }
  }

  test("curl upgrades to h2c or stays with HTTP/1.1 on a port that speaks both", async () => {
    const url = `http://127.0.0.1:${edge.cleartext}/`;
    const ask = [
      "--silent",
      "--max-time",
      "30",
      "--http2",
      "--header",
      "Host: h1.test",
      "--write-out",
      " %{http_code}",
    ];
    const { output } = await runProgram("curl", [...ask, url]);
    assert.equal(output, "hello 200");
  });
});
