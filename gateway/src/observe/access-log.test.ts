import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { toRecord } from "../../test/workers/exchange-record.ts";
import { compileAccessFormat } from "./access-format.ts";
import { AccessLog } from "./access-log.ts";
import { WallClock } from "./access-time.ts";
import { GLOBAL } from "./cells.ts";
import type { LineOutput, WriteDone } from "./line-output.ts";
import { Log, openLevel } from "./log.ts";

/** An output that takes a write when the test says so. */
class HeldOutput implements LineOutput {
  written = "";
  reopened = 0;
  closed = false;
  #pending: { readonly bytes: Uint8Array; readonly done: WriteDone } | undefined;

  get busy(): boolean {
    return this.#pending !== undefined;
  }

  write(bytes: Uint8Array, done: WriteDone): void {
    assert.equal(this.#pending, undefined, "one write at a time");
    this.#pending = { bytes, done };
  }

  /** Ends the write in progress; where it fails, after so many bytes. */
  finish(failsAfter?: number): void {
    const pending = this.#pending;
    assert.ok(pending !== undefined, "a write is in progress");
    this.#pending = undefined;
    const written = failsAfter ?? pending.bytes.length;
    this.written += Buffer.from(pending.bytes.subarray(0, written)).toString("latin1");
    if (failsAfter === undefined) pending.done();
    else pending.done({ error: new Error("ENOSPC: no space left on device"), written });
  }

  reopen(): void {
    this.reopened++;
  }

  close(): void {
    this.closed = true;
  }
}

interface Bench {
  readonly log: AccessLog;
  readonly output: HeldOutput;
  readonly cells: Float64Array;
  readonly warnings: string[];
}

function openBench(format = "%REQ(:PATH)%"): Bench {
  const clock = new WallClock();
  const compiled = compileAccessFormat(format, { clock, environment: {} });
  assert.ok(compiled.ok);
  const output = new HeldOutput();
  const cells = new Float64Array(16);
  const warnings: string[] = [];
  const processLog = new Log({
    format: "json",
    sink: (line) => warnings.push(line),
    level: openLevel("info"),
    now: Date.now,
  });
  return {
    log: new AccessLog({ format: compiled.value, output, clock, cells, log: processLog }),
    output,
    cells,
    warnings,
  };
}

function record(bench: Bench, path: string): void {
  bench.log.record(toRecord({ originalPath: path }));
}

/** Closes with everything written. */
async function close(bench: Bench): Promise<void> {
  const closed = bench.log.close(5_000);
  while (bench.output.busy) bench.output.finish();
  await closed;
}

test("lines gather and are written when the log closes, which waits for the output", async () => {
  const bench = openBench();
  for (const path of ["/a", "/b", "/c"]) record(bench, path);
  assert.equal(bench.output.busy, false);
  await close(bench);
  assert.equal(bench.output.written, "/a\n/b\n/c\n");
  assert.equal(bench.cells[GLOBAL.logLines], 3);
  assert.equal(bench.output.closed, true);
});

test("a full buffer is written at once, and lines go on into the next one in order", async () => {
  const bench = openBench();
  const paths = Array.from({ length: 9_000 }, (_, at) => `/${at}/${"x".repeat(60)}`);
  for (const path of paths) record(bench, path);
  assert.equal(bench.output.busy, true);
  await close(bench);
  assert.equal(bench.output.written, paths.map((path) => `${path}\n`).join(""));
  assert.equal(bench.cells[GLOBAL.logDropped] ?? 0, 0);
});

test("an output that does not keep up costs lines, which are counted, and one warning", async () => {
  const bench = openBench();
  const line = "x".repeat(999);
  for (let count = 0; count < 5_000; count++) record(bench, line);
  await close(bench);
  const dropped = bench.cells[GLOBAL.logDropped] ?? 0;
  assert.ok(dropped > 3_500 && dropped < 4_500, `${dropped} of 5000 lines of 1 kB dropped`);
  assert.equal(bench.output.written.length, (5_000 - dropped) * 1_000);
  assert.equal(bench.cells[GLOBAL.logLines], 5_000 - dropped);
  assert.equal(bench.warnings.length, 1);
  assert.match(bench.warnings[0] ?? "", /access log lines lost.*does not keep up/);
});

test("lines that come slowly fill no more buffers than many at once, where the output does not keep up", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  const bench = openBench();
  const line = "x".repeat(999);
  for (let count = 0; count < 2_000; count++) {
    record(bench, line);
    // what waits for company is handed on after each
    t.mock.timers.tick(1_000);
  }
  const dropped = bench.cells[GLOBAL.logDropped] ?? 0;
  assert.ok(dropped > 500 && dropped < 1_500, `${dropped} of 2000 lines of 1 kB dropped`);
  while (bench.output.busy) bench.output.finish();
  assert.equal(bench.output.written.length, (2_000 - dropped) * 1_000, "what was kept is written once there is room");
  await close(bench);
});

test("a write that fails loses its lines only; the next begins on a line of its own", async () => {
  const bench = openBench();
  for (const path of ["/one", "/two", "/three"]) record(bench, path);
  const closed = bench.log.close(5_000);
  bench.output.finish(7);
  await closed;
  assert.equal(bench.output.written, "/one\n/t");
  assert.equal(bench.cells[GLOBAL.logLines], 1);
  assert.equal(bench.cells[GLOBAL.logDropped], 2);
  assert.match(bench.warnings[0] ?? "", /"lines":2,"why":"ENOSPC/);
  record(bench, "/four");
  await close(bench);
  assert.equal(bench.output.written, "/one\n/t\n/four\n");
});

test("a line longer than any buffer is written whole", async () => {
  const bench = openBench("%REQ(:PATH)% %REQ(:PATH)% %REQ(:PATH)%");
  const path = `/${"p".repeat(100_000)}`;
  record(bench, "/short");
  record(bench, path);
  record(bench, "/after");
  await close(bench);
  assert.equal(
    bench.output.written,
    [`/short /short /short`, `${path} ${path} ${path}`, `/after /after /after`].map((line) => `${line}\n`).join(""),
  );
});

test("reopening reaches the output although nothing is to be written", async () => {
  const bench = openBench();
  bench.log.reopen();
  assert.equal(bench.output.reopened, 1);
  assert.equal(bench.output.busy, true);
  await close(bench);
});
