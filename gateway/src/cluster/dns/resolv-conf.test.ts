/** /etc/resolv.conf: search domains, ndots, and the order of names they make. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { parseResolvConf, toSearchList } from "./resolv-conf.ts";

test("the last search or domain line counts, options are found among others", () => {
  const text = "; comment\nsearch a.example\ndomain b.example.\n  options timeout:1 ndots:3 rotate\nnameserver ::1\n";
  assert.deepEqual(parseResolvConf(text), { domains: ["b.example"], ndots: 3 });
});

test("an empty file completes nothing", () => {
  assert.deepEqual(parseResolvConf(""), { domains: [], ndots: 1 });
  assert.equal(parseResolvConf("options ndots:99").ndots, 15);
});

test("names with enough dots are tried as they are first", () => {
  const rules = { domains: ["a.example", "b.example"], ndots: 2 };
  assert.deepEqual(toSearchList("x.y", rules), ["x.y.a.example", "x.y.b.example", "x.y"]);
  assert.deepEqual(toSearchList("x.y.z", rules), ["x.y.z", "x.y.z.a.example", "x.y.z.b.example"]);
  assert.deepEqual(toSearchList("x.", rules), ["x"]);
});
