import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, type Options } from "./options.ts";

function options(...argv: readonly string[]): Options {
  const parsed = parseOptions(argv);
  assert.ok(parsed !== "help");
  return parsed;
}

test("a run is five rounds of three seconds of everything, pinned", () => {
  const { rounds, seconds, peers, scenarios, pinning, check } = options();
  assert.deepEqual([rounds, seconds, peers.length, pinning, check], [5, 3, 0, "on", "off"]);
  assert.ok(scenarios.includes("vary") && scenarios.includes("idle-conns"));
});

test("a quick run is shorter, and explicit lengths win", () => {
  const { rounds, seconds } = options("--quick", "--seconds", "4");
  assert.deepEqual([rounds, seconds], [3, 4]);
});

test("scenarios and peers may be chosen several times, and custom peers added", () => {
  const chosen = options(
    "--scenario",
    "vary",
    "--scenario",
    "fixed",
    "--peer",
    "haproxy",
    "--custom",
    "old=run {port} {backend}",
  );
  assert.deepEqual(chosen.scenarios, ["vary", "fixed"]);
  assert.deepEqual(chosen.peers, ["haproxy"]);
  assert.deepEqual(
    chosen.custom.map(({ name }) => name),
    ["old"],
  );
});

test("what makes no sense is refused with what would", () => {
  assert.throws(() => parseOptions(["--scenario", "varied"]), /no scenario varied; there are vary, fixed/);
  assert.throws(() => parseOptions(["--peer", "caddy"]), /no peer caddy; there are sallyport, haproxy/);
  assert.throws(() => parseOptions(["--rounds", "0"]), /--rounds wants a whole number from 1, not 0/);
  assert.throws(() => parseOptions(["--sallyport", "dist"]), /source or bundle/);
  assert.throws(() => parseOptions(["--custom", "old=run 8080"]), /NAME=COMMAND with \{port\} or \{objects\} in it/);
  assert.throws(() => parseOptions(["--fast"]), /--fast/);
});

test("help wins over everything that makes sense", () => {
  assert.equal(parseOptions(["--help", "--quick"]), "help");
});
