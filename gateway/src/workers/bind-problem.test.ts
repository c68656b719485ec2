import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "@sallyport/model/problem";
import { toBindProblem } from "./bind-problem.ts";

function toText(code: string, port: number, advertised = port, address = "0.0.0.0"): string {
  const error = Object.assign(new Error("listen failed"), { code });
  const listener = { key: "shop/edge/http", port: advertised, protocol: "http" } as const;
  return formatProblem(toBindProblem(error, { address, port, listener }));
}

test("a privileged port names the option that helps", () => {
  assert.equal(
    toText("EACCES", 80),
    "error: cannot listen on 0.0.0.0:80 for listener shop/edge/http: permission denied (Gateway shop/edge); ports below 1024 need privileges; bind another one with --port-map 80=8080",
  );
  assert.match(toText("EACCES", 443), /--port-map 443=8443$/);
  assert.match(toText("EACCES", 90), /--port-map 90=10090$/);
});

test("a port in use says how to find who uses it, and maps the advertised port", () => {
  assert.match(toText("EADDRINUSE", 8080, 80), /in use .*ss -ltnp 'sport = :8080'.*--port-map 80=8081$/);
});

test("an address of another machine, missing files and surprises are told apart", () => {
  assert.match(toText("EADDRNOTAVAIL", 80, 80, "2001:db8::1"), /on \[2001:db8::1\]:80 .*no such address/);
  assert.match(toText("EMFILE", 80), /too many open files.*ulimit -n/);
  assert.match(toText("EWHATEVER", 80), /listen failed/);
});

test("a datagram port is told apart from the TCP port of the same number", () => {
  const error = Object.assign(new Error("bind failed"), { code: "EADDRINUSE" });
  const listener = { key: "shop/edge/dns", port: 53, protocol: "udp" } as const;
  const text = formatProblem(toBindProblem(error, { address: "::", port: 5353, listener }));
  assert.match(text, /cannot listen on udp\/\[::\]:5353 .*ss -lunp 'sport = :5353'.*--port-map 53=5354$/);
});
