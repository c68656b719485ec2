import assert from "node:assert/strict";
import { test } from "node:test";
import { toClusterNews } from "./cluster-news.ts";
import { Log, openLevel } from "./observe/log.ts";

test("which addresses of a name are left out is warned of, a few by name, and so is that it is over", () => {
  const lines: string[] = [];
  const log = new Log({
    level: openLevel("info"),
    format: "text",
    now: () => 0,
    sink: (line) => void lines.push(line),
  });
  const { onLeftOut } = toClusterNews(log);
  const address = (index: number) => ({ address: `127.0.0.${index}`, use: "loopback" as const });
  onLeftOut("ns/web:80", "web.example", [address(1)]);
  onLeftOut(
    "ns/web:80",
    "web.example",
    Array.from({ length: 1000 }, (_, index) => address(index)),
  );
  onLeftOut("ns/web:80", "web.example", []);
  const [one = "", many = "", none = ""] = lines;
  assert.match(
    one,
    /WARN  addresses of an upstream name are left out .*ns\/web:80.*web\.example.*127\.0\.0\.1 \(loopback\)/,
  );
  assert.ok(many.includes("1000") && many.length < 600, many);
  assert.match(none, /(?:INFO|info)  *no address of an upstream name is left out any more/);
});

test("how long a limit was met is told in tenths of a second", () => {
  const lines: string[] = [];
  const log = new Log({
    level: openLevel("info"),
    format: "json",
    now: () => 0,
    sink: (line) => void lines.push(line),
  });
  toClusterNews(log).onLimit("ns/web:80", "pending", { kind: "over", overflows: 2, milliseconds: 12_449.900_000_1 });
  assert.match(lines.join(""), /"overflows":2,"seconds":12\.4}/);
});
