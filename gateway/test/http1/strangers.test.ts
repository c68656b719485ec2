/** Who speaks another protocol on an HTTP port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openRig, recordOf } from "./rig.ts";

test("a client that speaks another protocol gets no answer; one that spoke HTTP before does", async (t) => {
  const rig = await openRig(t);
  const stranger = await rig.client();
  await stranger.send("EHLO mail example\r\n\r\n");
  await stranger.signal.require(() => stranger.state !== "open", 2000, "the end");
  assert.deepEqual([stranger.state, stranger.responses.length], ["ended", 0]);
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.details], [0, "DPE", "invalid version"]);
  const known = await rig.client();
  await known.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nEHLO mail example\r\n\r\n");
  await known.signal.require(() => known.state !== "open", 2000, "the end");
  assert.deepEqual(
    known.responses.map(({ status }) => status),
    [503, 400],
  );
});
