import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync, renameSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { openOutput, resolveOutput, type LineOutput } from "./line-output.ts";

type Loss = { readonly error: Error; readonly written: number } | undefined;

function write(output: LineOutput, text: string): Promise<Loss> {
  return new Promise((resolve) => {
    output.write(Buffer.from(text), resolve);
  });
}

test("a file is appended to, and made for its owner and group only", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("access.log");
  for (const text of ["one\n", "two\n"]) {
    const output = openOutput(resolveOutput(path), undefined);
    assert.equal(await write(output, text), undefined);
    output.close();
  }
  assert.equal(readFileSync(path, "utf8"), "one\ntwo\n");
});

test("a file that was moved away is left to whoever moved it once that is asked for", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("access.log");
  const output = openOutput(resolveOutput(path), undefined);
  await write(output, "before\n");
  renameSync(path, directory.file("access.log.1"));
  await write(output, "still there\n");
  output.reopen();
  await write(output, "after\n");
  output.close();
  assert.equal(readFileSync(directory.file("access.log.1"), "utf8"), "before\nstill there\n");
  assert.equal(readFileSync(path, "utf8"), "after\n");
});

test("a full disk is reported with how much was written", async () => {
  const output = openOutput(resolveOutput("/dev/full"), undefined);
  const loss = await write(output, "lost\n");
  output.close();
  assert.match(loss?.error.message ?? "", /ENOSPC/);
  assert.equal(loss?.written, 0);
});

test("a path that cannot be opened says so before anything starts", () => {
  assert.throws(() => resolveOutput("/no/such/directory/access.log"), /ENOENT/);
});

test("a pipe nobody reads blocks nothing, and gets everything in order once it is read", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const target = resolveOutput(path);
  assert.equal(target.kind, "descriptor");
  const output = openOutput(target, undefined);
  const text = Array.from({ length: 40_000 }, (_, at) => `line ${at}\n`).join("");
  let over = false;
  const done = write(output, text).then((loss) => {
    over = true;
    return loss;
  });
  await setImmediate();
  assert.equal(over, false, "more than a pipe holds");
  let received = "";
  const chunk = Buffer.alloc(65_536);
  await eventually(() => {
    received += chunk.toString("latin1", 0, readSome(reader, chunk));
    return received.length === text.length;
  });
  assert.equal(received, text);
  assert.equal(await done, undefined);
  closeSync(reader);
  assert.match((await write(output, "gone\n"))?.error.message ?? "", /EPIPE/);
  output.close();
  if (target.kind === "descriptor") closeSync(target.descriptor);
});

/** A pipe that two workers write to under one lock. */
function openSharedPipe(directory: string): {
  readonly reader: number;
  readonly outputs: readonly [LineOutput, LineOutput];
  close: () => void;
} {
  const path = `${directory}/pipe`;
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const target = resolveOutput(path);
  const words = new Int32Array(1);
  const open = (worker: number): LineOutput => openOutput(target, { words, word: 0, worker });
  const outputs = [open(0), open(1)] as const;
  return {
    reader,
    outputs,
    close: () => {
      for (const output of outputs) output.close();
      closeSync(reader);
      if (target.kind === "descriptor") closeSync(target.descriptor);
    },
  };
}

test("workers take turns at a pipe: what one has begun it ends before another begins", async () => {
  using directory = openTemporaryDirectory();
  const { reader, outputs, close } = openSharedPipe(directory.path);
  const [one, other] = outputs;
  const done = [write(one, "1".repeat(400_000)), write(other, "2".repeat(400_000))];
  const chunk = Buffer.alloc(20_000);
  let received = "";
  await eventually(() => {
    received += chunk.toString("latin1", 0, readSome(reader, chunk));
    return received.length === 800_000;
  });
  await Promise.all(done);
  assert.equal(received.replace(/(.)\1*/g, "$1"), "12");
  close();
});

test("a worker that ends while it writes does not keep the others from the pipe", async () => {
  using directory = openTemporaryDirectory();
  const { reader, outputs, close } = openSharedPipe(directory.path);
  const [one, other] = outputs;
  void write(one, "1".repeat(200_000));
  let otherIsDone = false;
  const done = write(other, "2\n").then(() => {
    otherIsDone = true;
    return undefined;
  });
  await setImmediate();
  one.close();
  const chunk = Buffer.alloc(65_536);
  let received = "";
  await eventually(() => {
    received += chunk.toString("latin1", 0, readSome(reader, chunk));
    return otherIsDone && received.endsWith("2\n");
  });
  await done;
  close();
});

function readSome(descriptor: number, chunk: Buffer): number {
  try {
    return readSync(descriptor, chunk);
  } catch {
    return 0;
  }
}
