import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readObjectFile } from "./object-file.ts";
import { Pacer } from "./pacer.ts";

const directory = mkdtempSync(join(tmpdir(), "object-file-"));
after(() => rmSync(directory, { recursive: true }));

const path = join(directory, "a.yaml");
const options = { pacer: new Pacer(), mostBytes: 1000 };
const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

test("a file that was just written is read again, as its times may not tell the next change", async () => {
  writeFileSync(path, text);
  const fresh = await readObjectFile(path, undefined, options);
  assert.equal(fresh?.isSettled, false);
  const again = await readObjectFile(path, fresh, options);
  assert.notEqual(again, fresh);
  assert.equal(again?.chunks, fresh.chunks, "but parsed only if it differs");
});

test("a file that has been at rest is not read again", async () => {
  writeFileSync(path, text);
  utimesSync(path, 1, 1);
  const settled = await readObjectFile(path, undefined, options);
  assert.equal(settled?.isSettled, true);
  assert.equal(await readObjectFile(path, settled, options), settled);
  writeFileSync(path, `${text}# more\n`);
  assert.notEqual(await readObjectFile(path, settled, options), settled);
});

test("a file without end of line may be cut off", async () => {
  for (const [content, isRagged] of [
    [text, false],
    [text.trimEnd(), true],
    ["", true],
  ] as const) {
    writeFileSync(path, content);
    assert.equal((await readObjectFile(path, undefined, options))?.isRagged, isRagged, JSON.stringify(content));
  }
});

test("a file that is gone is undefined, one too large a problem", async () => {
  assert.equal(await readObjectFile(join(directory, "none.yaml"), undefined, options), undefined);
  assert.equal(await readObjectFile(directory, undefined, options), undefined);
  writeFileSync(path, "#".repeat(1001));
  const state = await readObjectFile(path, undefined, options);
  assert.equal(state?.chunks[0]?.chunk.problems[0]?.code, "limit-exceeded");
});
