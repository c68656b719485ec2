import assert from "node:assert/strict";
import { test } from "node:test";
import {
  RuleError,
  appendErrors,
  both,
  boundedPattern,
  codePointLength,
  compareTexts,
  duration,
  either,
  element,
  every,
  existsOne,
  field,
  isAddressBlock,
  isIpAddress,
  isIpv4Address,
  isIpv6Address,
  some,
  substring,
  textOf,
} from "./rule-functions.ts";

const throws = (): never => {
  throw new RuleError("no such key: a");
};

test("an error on one side of || does not matter if the other side is true", () => {
  assert.equal(
    either(throws, () => true),
    true,
  );
  assert.equal(
    either(() => true, throws),
    true,
  );
  assert.throws(() => either(throws, () => false), RuleError);
  assert.throws(() => either(() => false, throws), RuleError);
});

test("an error on one side of && does not matter if the other side is false", () => {
  assert.equal(
    both(throws, () => false),
    false,
  );
  assert.throws(() => both(throws, () => true), RuleError);
  assert.equal(
    both(
      () => true,
      () => true,
    ),
    true,
  );
});

test("an error in a list matters only if no other entry decides", () => {
  const isTwo = (item: number): boolean => (item === 0 ? throws() : item === 2);
  assert.equal(some([0, 2], isTwo), true);
  assert.throws(() => some([0, 1], isTwo), RuleError);
  assert.equal(every([0, 1], isTwo), false);
  assert.throws(() => every([0, 2], isTwo), RuleError);
  assert.equal(every([], isTwo), true);
});

test("a bug in a rule is not taken for one of its errors", () => {
  const bug = (): never => {
    throw new TypeError("bug");
  };
  assert.throws(() => either(bug, () => true), TypeError);
  assert.throws(() => some([1], bug), TypeError);
});

test("exactly one is neither none nor two", () => {
  assert.equal(
    existsOne([1, 2, 3], (item) => item > 2),
    true,
  );
  assert.equal(
    existsOne([1, 2, 3], (item) => item > 1),
    false,
  );
  assert.equal(
    existsOne([1, 2, 3], (item) => item > 3),
    false,
  );
});

test("absent fields and entries are errors", () => {
  assert.equal(field({ a: 1 }, "a"), 1);
  assert.equal(field({ a: "" }, "a"), "");
  assert.throws(() => field<{ a?: number }, "a">({}, "a"), /no such key: a/);
  assert.equal(element([7], 0), 7);
  assert.throws(() => element([7], 1), /out of range/);
});

test("durations are read in milliseconds", () => {
  assert.equal(duration("0s"), 0);
  assert.equal(duration("1h30m"), 5_400_000);
  assert.equal(duration("10s500ms"), 10_500);
  assert.equal(duration("1m"), 60_000);
  for (const text of ["", "1", "s", "1.5s", "1d", "123456s", "1s1s1s1s1s", " 1s"])
    assert.throws(() => duration(text), RuleError, text);
});

test("the length of a text counts characters, not their halves", () => {
  assert.equal(codePointLength("a😀é"), 3);
  assert.equal(codePointLength("\ud83d"), 1);
  assert.equal(codePointLength("\ude00\ud83d"), 2);
  assert.equal(substring("a😀bc", 2), "bc");
  assert.equal(substring("ab", 2), "");
  assert.throws(() => substring("ab", 3), RuleError);
});

test("addresses are told from names, and a zone is no part of one", () => {
  assert.ok(isIpAddress("10.0.0.1") && isIpAddress("::1") && isIpv4Address("10.0.0.1") && isIpv6Address("fe80::1"));
  for (const text of ["10.0.0", "010.0.0.1", "fe80::1%eth0", "::ffff:10.0.0.1", "::FFFF:0a00:1", "a.example", ""])
    assert.equal(isIpAddress(text), false, text);
  assert.equal(isIpv4Address("::1") || isIpv6Address("10.0.0.1"), false);
});

test("a pattern is not tried on a text longer than its field may be", () => {
  const pattern = boundedPattern("^a+$", "u", 3);
  assert.ok(pattern.test("aaa"));
  assert.equal(pattern.test("aaaa"), false);
  assert.equal(pattern.test("b"), false);
});

test("errors are added up", () => {
  const first = appendErrors(null, [1]);
  assert.deepEqual(appendErrors(first, [2, 3]), [1, 2, 3]);
});

test("a block is an address and a length that it may have", () => {
  for (const text of ["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/128"])
    assert.ok(isAddressBlock(text), text);
  const wrong = [
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::/129",
    "/8",
    "a/8",
    "10.0/8",
  ];
  for (const text of [...wrong, "::ffff:10.0.0.0/104"]) assert.equal(isAddressBlock(text), false, text);
});

test("texts come in the order of code points", () => {
  assert.ok(compareTexts("500", "599") < 0);
  assert.equal(compareTexts("a", "a"), 0);
  assert.ok(compareTexts("\u{1F600}", "\uFFFD") > 0, "UTF-16 has it the other way round");
});

test("a number has no methods of texts", () => {
  assert.equal(textOf("404"), "404");
  assert.throws(() => textOf(404), RuleError);
});
