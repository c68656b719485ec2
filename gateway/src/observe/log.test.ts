import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS, Log, openLevel, parseLogLevel, toLogLevel, type LogFormat } from "./log.ts";

function openLog(format: LogFormat): { readonly log: Log; readonly lines: string[]; readonly level: Int32Array } {
  const lines: string[] = [];
  const level = openLevel("info");
  const log = new Log({ format, sink: (line) => lines.push(line), level, now: () => 0, context: { worker: 1 } });
  return { log, lines, level };
}

test("a line carries time, level, message, context and fields", () => {
  const { log, lines } = openLog("json");
  log.warn("disk is full", { path: "/var/log", free: 0 });
  assert.deepEqual(JSON.parse(lines[0] ?? ""), {
    time: "1970-01-01T00:00:00.000Z",
    level: "warn",
    message: "disk is full",
    worker: 1,
    path: "/var/log",
    free: 0,
  });
});

test("text for people quotes what is more than a word and cannot be made to look like something else", () => {
  const { log, lines } = openLog("text");
  log.info("hello", { name: "default/web", text: "a b\n2026 ERROR forged=\u001b[31m\u009b1m" });
  assert.equal(
    lines[0],
    String.raw`1970-01-01T00:00:00.000Z INFO  hello worker=1 name=default/web text="a b\n2026 ERROR forged=\u001b[31m\u009b1m"`,
  );
});

test("errors show their stack, and numbers JSON cannot hold show as text", () => {
  const { log, lines } = openLog("json");
  log.error("failed", { error: new Error("because"), big: 12n });
  const fields = JSON.parse(lines[0] ?? "") as { error: string; big: string };
  assert.match(fields.error, /^Error: because\n\s+at /);
  assert.equal(fields.big, "12");
});

test("the level changes while the log is in use, by the cell alone", () => {
  const { log, lines, level } = openLog("json");
  log.debug("not shown");
  level[0] = LEVELS.debug;
  log.debug("shown");
  level[0] = LEVELS.off;
  log.error("not shown");
  assert.equal(lines.length, 1);
});

test("levels have names both ways, and other names are none", () => {
  for (const name of ["off", "error", "warn", "info", "debug"] as const) {
    assert.equal(parseLogLevel(name), name);
    assert.equal(toLogLevel(LEVELS[name]), name);
  }
  assert.equal(parseLogLevel("trace"), undefined);
});
