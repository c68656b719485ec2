/** What gRPC says of statuses, messages and timeouts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { LocalReply } from "@sallyport/policies/filter";
import { encodeMessage, parseGrpcTimeout, toGrpcReply } from "./grpc.ts";

function toStatus(reply: Partial<LocalReply>, reason?: FaultReason): string | undefined {
  const made = toGrpcReply({ status: 500, headers: [], body: "", flag: "-", ...reply }, reason);
  return made.headers.find(([name]) => name === "grpc-status")?.[1];
}

test("statuses of HTTP become those that a gRPC client would make of them", () => {
  const expected = { 200: "2", 307: "2", 400: "13", 401: "16", 403: "7", 404: "12", 418: "2", 429: "14", 500: "2" };
  for (const [status, code] of Object.entries({ ...expected, 502: "14", 503: "14", 504: "14" }))
    assert.equal(toStatus({ status: Number(status) }), code, status);
});

test("a reply that says what calls are told is believed", () => {
  assert.deepEqual([toStatus({ status: 503, grpcStatus: 0 }), toStatus({ grpcStatus: 8 }, "no-route")], ["0", "8"]);
});

test("faults say what is known of them beyond their status", () => {
  const reasons: Partial<Record<FaultReason, string>> = {
    "upstream-timeout": "4",
    "invalid-backend": "14",
    "no-route": "12",
    "body-too-large": "8",
  };
  for (const [reason, code] of Object.entries({ ...reasons, "no-endpoints": "14", "internal-error": "13" })) {
    assert.ok(Object.hasOwn(FAULTS, reason));
    const known = reason as FaultReason;
    assert.equal(toStatus({ status: FAULTS[known].status }, known), code, reason);
  }
});

test("a reply keeps its fields but for the type of the body it loses, and 421 stays as it is", () => {
  const headers = [
    ["Content-Type", "text/plain"],
    ["retry-after", "3"],
  ] as const;
  const made = toGrpcReply({ status: 503, headers, body: "50% busy\n", flag: "FI" }, undefined);
  assert.deepEqual(made, {
    status: 200,
    headers: [
      ["content-type", "application/grpc"],
      ["grpc-status", "14"],
      ["grpc-message", "50%25 busy"],
      ["retry-after", "3"],
    ],
    body: "",
    flag: "FI",
  });
  const misdirected = { status: 421, headers, body: "x", flag: "NR" } as const;
  assert.equal(toGrpcReply(misdirected, "misdirected"), misdirected);
});

test("messages are printable ASCII and come back as they were", () => {
  const text = fc.string({ unit: "binary" }).filter((message) => message.isWellFormed());
  fc.assert(
    fc.property(text, (message) => {
      const encoded = encodeMessage(message);
      assert.match(encoded, /^(?:[ -$&-~]|%[0-9A-F]{2})*$/);
      assert.equal(decodeURIComponent(encoded), message);
    }),
  );
  assert.equal(encodeMessage("a\ud800"), "a%EF%BF%BD", "half a pair is no character");
});

test("timeouts are read as the protocol writes them, and nothing else is one", () => {
  const good = { "1H": 3_600_000, "2M": 120_000, "3S": 3000, "40m": 40, "5000u": 5, "6000000n": 6, "0n": 0 };
  for (const [value, milliseconds] of Object.entries(good)) assert.equal(parseGrpcTimeout(value), milliseconds, value);
  assert.equal(parseGrpcTimeout("99999999H"), 99_999_999 * 3_600_000);
  for (const value of ["", "1", "S", "-1S", "1.5S", "1s", "123456789S", " 1S", "1S ", "1S,1S", "+1S", "1S\n", "٣S"])
    assert.equal(parseGrpcTimeout(value), undefined, JSON.stringify(value));
  assert.equal(parseGrpcTimeout(undefined), undefined);
});
