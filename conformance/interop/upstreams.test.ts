// HTTP/2 servers of others behind the gateway: nghttpd, nginx, hyper's h2 (Python); and h2 as a client in front of it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { createAuthority } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts, type RunningProcess, startProcess } from "@sallyport/testkit/process";
import { RawClient } from "@sallyport/testkit/raw-client";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { type Backend, openBackend, type Version } from "./backend.ts";
import { openClient } from "./clients.ts";
import { type InteropEdge, openInteropEdge } from "./edge.ts";
import { findProgram, pythonWithH2, runCommand } from "./programs.ts";

const VERSIONS: readonly Version[] = ["h1", "h2"];
const PYTHON_PEER = fileURLToPath(new URL("python/h2_peer.py", import.meta.url));
/** More than any window, and no multiple of a frame. */
const FILE = Buffer.alloc(3_000_001, "0123456789abcde");

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function startPython(): Promise<{ readonly child: RunningProcess; readonly port: number }> {
  const child = startProcess(await pythonWithH2(), [PYTHON_PEER, "server"]);
  const port = await eventually(() => /"port": (\d+)/.exec(child.output())?.[1], {
    within: 60_000,
    what: "h2_peer.py",
  });
  return { child, port: Number(port) };
}

/** Programs of others say nothing of when they listen. */
async function untilListening(port: number): Promise<void> {
  const client = await eventually(() => RawClient.open({ port }), { within: 60_000, what: `a server on port ${port}` });
  client.close();
}

/** nginx serves the files of a directory, which is its user's alone, as HTTP/2, in cleartext and over TLS, and takes POSTs. */
function nginxConf(directory: string, port: number, tlsPort: number): string {
  return `daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/tmp;
  proxy_temp_path ${directory}/tmp;
  fastcgi_temp_path ${directory}/tmp;
  uwsgi_temp_path ${directory}/tmp;
  scgi_temp_path ${directory}/tmp;
  server {
    listen 127.0.0.1:${port} http2;
    listen 127.0.0.1:${tlsPort} ssl http2;
    ssl_certificate ${directory}/cert.pem;
    ssl_certificate_key ${directory}/key.pem;
    root ${directory}/files;
    client_max_body_size 100m;
    add_header x-version $server_protocol;
    location = /post { return 200 "taken $request_method"; }
  }
}
`;
}

describe("upstreams", () => {
  const processes: RunningProcess[] = [];
  const backends: Backend[] = [];
  let scratch: TemporaryDirectory;
  let edge: InteropEdge;

  before(async () => {
    const authority = await createAuthority();
    const leaf = await authority.issue({ names: ["backend.test"] });
    scratch = openTemporaryDirectory({ "cert.pem": leaf.cert, "key.pem": leaf.key, "ca.pem": authority.cert });
    scratch.write("files/large", FILE);
    scratch.write("files/small", "small");
    const [nghttpd = 0, nghttpdTls = 0, nginx = 0, nginxTls = 0] = await freePorts(4);
    const root = ["-d", scratch.file("files"), "-a", "127.0.0.1", "--echo-upload", "--trailer", "x-from: nghttpd"];
    const command = await findProgram("nghttpd");
    processes.push(startProcess(command, [...root, "--no-tls", String(nghttpd)]));
    processes.push(
      startProcess(command, [...root, String(nghttpdTls), scratch.file("key.pem"), scratch.file("cert.pem")]),
    );
    const conf = scratch.write("nginx.conf", nginxConf(scratch.path, nginx, nginxTls));
    processes.push(startProcess(await findProgram("nginx"), ["-c", conf, "-e", "stderr"]));
    for (const port of [nghttpd, nghttpdTls, nginx, nginxTls]) await untilListening(port);
    const python = await startPython();
    processes.push(python.child);
    for (const version of VERSIONS) backends.push(await openBackend(version));
    const ca = authority.cert;
    edge = await openInteropEdge({
      nghttpd: { port: nghttpd, version: "h2" },
      "nghttpd-tls": { port: nghttpdTls, version: "h2", ca },
      nginx: { port: nginx, version: "h2" },
      "nginx-tls": { port: nginxTls, version: "h2", ca },
      python: { port: python.port, version: "h2" },
      ...Object.fromEntries(backends.map((backend) => [backend.version, backend])),
    });
    scratch.write("edge.pem", edge.ca);
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    for (const backend of backends) backend.close();
    await Promise.all(processes.map((child) => child.stop(500)));
    scratch.close();
  });

  for (const down of VERSIONS) {
    for (const name of ["nghttpd", "nghttpd-tls", "nginx", "nginx-tls"]) {
      test(`${down} clients get files from ${name}, small, large and a hundred at once`, async () => {
        using client = openClient(down, edge.origin("cleartext", name));
        const small = await client.ask({ method: "GET", path: "/small" });
        assert.deepEqual([small.status, small.text], [200, "small"]);
        if (name.startsWith("nginx")) assert.equal(small.headers["x-version"], "HTTP/2.0");
        // HTTP/1.1 has no trailers behind a body with Content-Length
        else if (down === "h2") assert.equal(small.trailers["x-from"], "nghttpd");
        const head = await client.ask({ method: "HEAD", path: "/large" });
        assert.deepEqual([head.status, head.length], [200, 0]);
        assert.equal((await client.ask({ method: "GET", path: "/nothing" })).status, 404);
        const many = Array.from({ length: 100 }, (_, index) => (index % 10 === 0 ? "/large" : "/small"));
        const answers = await Promise.all(many.map((path) => client.ask({ method: "GET", path })));
        for (const [index, { digest }] of answers.entries()) {
          assert.equal(digest, sha256(index % 10 === 0 ? FILE : Buffer.from("small")));
        }
      });
    }

    for (const name of ["nghttpd", "nghttpd-tls"]) {
      test(`${down} clients get back what they sent to ${name}`, async () => {
        using client = openClient(down, edge.origin("tls", name));
        const got = await client.ask({ method: "POST", path: "/echo", body: FILE });
        assert.deepEqual([got.status, got.digest], [200, sha256(FILE)]);
      });
    }

    test(`${down} clients post to nginx`, async () => {
      using client = openClient(down, edge.origin("cleartext", "nginx"));
      const got = await client.ask({ method: "POST", path: "/post", pieces: [FILE] });
      assert.deepEqual([got.status, got.text], [200, "taken POST"]);
    });

    test(`${down} clients send bodies and trailers to h2 of Python`, async () => {
      using client = openClient(down, edge.origin("tls", "python"));
      const trailers = { "x-checksum": "c0ffee" };
      const headers = { trailer: "x-checksum" };
      const got = await client.ask({ method: "PUT", path: "/p?q=1", headers, pieces: [FILE], trailers });
      const told = { length: FILE.length, digest: sha256(FILE), trailers };
      assert.equal(got.status, 200);
      const expected = { method: "PUT", path: "/p?q=1", authority: "python.test", ...told };
      assert.deepEqual(JSON.parse(got.text), expected);
      assert.equal(got.trailers["x-echoed"], "c0ffee");
    });
  }

  for (const transport of ["cleartext", "tls"] as const) {
    for (const up of VERSIONS) {
      test(`h2 of Python as a client over ${transport} to ${up}: twenty bodies at once, padded, with trailers`, async () => {
        const { port, host } = edge.origin(transport, up);
        const ca = transport === "tls" ? [scratch.file("edge.pem")] : [""];
        const words = [PYTHON_PEER, "client", "127.0.0.1", String(port), host, ...ca];
        const { code, output } = await runCommand(await pythonWithH2(), words);
        assert.equal(code, 0, output);
        const answers: unknown[] = output
          .trim()
          .split("\n")
          .map((line): unknown => JSON.parse(line));
        const expected = Array.from({ length: 20 }, (_, index) => {
          const body = Buffer.alloc(index === 0 ? 3 << 20 : index * 1000, index);
          const trailers = { "x-echoed": `sum-${index}` };
          return { status: "200", length: body.length, digest: sha256(body), trailers };
        });
        assert.deepEqual(answers, expected);
      });
    }
  }
});
