/** The sessions that are kept: which one is taken, how often, and for how long. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { UpstreamSessions, type KeptSession } from "./upstream-sessions.ts";

const toSession = (name: string, use: KeptSession["use"], expires = 100): KeptSession => ({
  session: Buffer.from(name),
  use,
  expires,
});
const nameOf = (kept: KeptSession | undefined): string | undefined => kept?.session.toString();

test("a ticket for one use is taken once, the newest first, and two are kept", () => {
  const sessions = new UpstreamSessions(4);
  for (const name of ["a", "b", "c"]) sessions.put("k", toSession(name, "once"));
  assert.deepEqual(
    [1, 2, 3].map(() => nameOf(sessions.take("k", 0))),
    ["c", "b", undefined],
  );
  assert.equal(sessions.size, 0);
});

test("a session for many uses stays until a newer one comes", () => {
  const sessions = new UpstreamSessions(4);
  sessions.put("k", toSession("a", "often"));
  assert.deepEqual(
    [1, 2].map(() => nameOf(sessions.take("k", 0))),
    ["a", "a"],
  );
  sessions.put("k", toSession("b", "often"));
  assert.equal(nameOf(sessions.take("k", 0)), "b");
  sessions.put("k", toSession("c", "once"));
  assert.deepEqual(
    [1, 2].map(() => nameOf(sessions.take("k", 0))),
    ["c", undefined],
  );
});

test("an expired session is neither given nor kept", () => {
  const sessions = new UpstreamSessions(4);
  sessions.put("k", toSession("a", "often", 100));
  assert.equal(nameOf(sessions.take("k", 99)), "a");
  assert.equal(sessions.take("k", 100), undefined);
  assert.equal(sessions.size, 0);
});

test("the endpoint used longest ago makes room, and a dropped one is forgotten", () => {
  const sessions = new UpstreamSessions(2);
  sessions.put("a", toSession("a", "often"));
  sessions.put("b", toSession("b", "often"));
  sessions.take("a", 0);
  sessions.put("c", toSession("c", "often"));
  assert.deepEqual(
    ["a", "b", "c"].map((key) => nameOf(sessions.take(key, 0))),
    ["a", undefined, "c"],
  );
  sessions.drop("a");
  assert.equal(sessions.take("a", 0), undefined);
});
