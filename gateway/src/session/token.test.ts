import assert from "node:assert/strict";
import { test } from "node:test";
import { formatToken, isOver, parseToken, type SessionToken } from "./token.ts";

const TOKEN: SessionToken = {
  endpoint: "0123456789abcdef",
  cluster: "89abcdef",
  begun: 1_790_000_000,
  used: 1_790_000_100,
};

test("what was written is read", () => {
  assert.deepEqual(parseToken(formatToken(TOKEN)), TOKEN);
  const born = { ...TOKEN, begun: 0, used: 0 };
  assert.deepEqual(parseToken(formatToken(born)), born);
});

test("whatever else clients send is no session", () => {
  const value = formatToken(TOKEN);
  const others = [
    "",
    "1",
    "x",
    value.slice(0, -8),
    `${value} `,
    ` ${value}`,
    `${value}-1`,
    value.toUpperCase(),
    `2${value.slice(1)}`,
  ];
  for (const other of [
    ...others,
    value.replace("0123", "012g"),
    `${value}${"0".repeat(8)}`,
    `${value}\n`,
    "-".repeat(60),
  ]) {
    assert.equal(parseToken(other), undefined, JSON.stringify(other));
  }
});

test("a session is over after its time, and after the time that it was not used", () => {
  const absolute = { absoluteTimeout: 200_000 };
  const idle = { idleTimeout: 100_000 };
  const at = (seconds: number): number => TOKEN.begun + seconds;
  assert.deepEqual(
    [at(200), at(201)].map((now) => isOver(TOKEN, absolute, now)),
    [false, true],
  );
  assert.deepEqual(
    [at(200), at(201)].map((now) => isOver(TOKEN, idle, now)),
    [false, true],
  );
  assert.ok(isOver(TOKEN, { ...absolute, idleTimeout: 1_000_000 }, at(300)));
  assert.ok(!isOver(TOKEN, {}, at(1_000_000)));
});

test("a clock that is behind ends nothing", () => {
  assert.ok(!isOver(TOKEN, { absoluteTimeout: 1000, idleTimeout: 1000 }, TOKEN.begun - 3600));
});
