/** The admin API is believed by whoever reaches it: no route leads there, whatever endpoints somebody writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

const CONFIG = "GET /config_dump HTTP/1.1\r\nHost: localhost\r\n\r\n";

for (const workers of [1, 2]) {
  test(`a route to the admin API gets nothing from it (${workers} workers)`, async () => {
    await using rig = await Rig.start({ workers });
    const admin = rig.gateway.adminPort ?? assert.fail();
    await rig.apply({ backends: [admin] });
    assert.equal((await rig.admin("/config_dump")).status, 200, "operators do");
    for (const { raw } of await rig.openMany(4 * workers)) {
      await raw.send(CONFIG);
      await raw.signal.require(() => raw.responses[0]?.complete === true, 5000, "the answer");
      assert.deepEqual(
        [raw.responses[0]?.status, raw.responses[0]?.body],
        [503, "503 Service Unavailable (connect-failure)\n"],
      );
    }
    await rig.apply();
    assert.equal((await (await rig.open()).ask("/a")).body, "/a");
  });
}
