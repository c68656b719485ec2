/** gRPC-Web: what becomes of heads, and the frame of trailers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestResponse, toRequest } from "../test/views.ts";
import { GRPC_WEB } from "./grpc-web.ts";

test("a call goes on as gRPC with the same message format", () => {
  for (const [type, expected] of [
    ["application/grpc-web", "application/grpc"],
    ["application/grpc-web+proto", "application/grpc+proto"],
    ["Application/gRPC-Web+json;charset=x", "application/grpc+json;charset=x"],
  ] as const) {
    const request = toRequest({ method: "POST" }, { "content-type": type });
    assert.equal(GRPC_WEB.onRequest?.(request), undefined);
    assert.equal(request.header("content-type"), expected);
    assert.ok(request.isTranslatedGrpc);
  }
});

test("everything else is left alone", () => {
  for (const type of ["application/grpc", "application/grpc-web-text", "application/grpc-website", "text/plain"]) {
    const request = toRequest({ method: "POST" }, { "content-type": type });
    void GRPC_WEB.onRequest?.(request);
    assert.deepEqual([request.header("content-type"), request.isGrpc], [type, false]);
    assert.equal(GRPC_WEB.concerns?.(request), false);
  }
  const preflight = toRequest({ method: "OPTIONS" }, { "content-type": "application/grpc-web" });
  void GRPC_WEB.onRequest?.(preflight);
  assert.equal(preflight.isGrpc, false);
});

function toAnswer(fields: Readonly<Record<string, string>>): TestResponse {
  const response = new TestResponse(fields);
  GRPC_WEB.onResponse?.(response, toRequest({}));
  return response;
}

test("the trailers become one frame with names in lower case", () => {
  const response = toAnswer({ "content-type": "application/grpc+proto" });
  assert.equal(response.header("content-type"), "application/grpc-web+proto");
  const trailers = "Grpc-Status: 0\r\ngrpc-message: Caf\xe9: OK\r\n";
  const frame = Buffer.from(response.closing?.(trailers) ?? []);
  const expected = "grpc-status: 0\r\ngrpc-message: Caf\xe9: OK\r\n";
  assert.equal(frame[0], 0x80);
  assert.equal(frame.readUInt32BE(1), expected.length);
  assert.equal(frame.toString("latin1", 5), expected);
  assert.equal(response.closing?.("").length, 5);
});

test("an answer that is not gRPC's stays what it is", () => {
  const response = toAnswer({ "content-type": "text/html" });
  assert.deepEqual([response.header("content-type"), response.closing], ["text/html", undefined]);
});

test("a status in the head is shown to scripts of origins that may read the answer", () => {
  const head = { "content-type": "application/grpc", "grpc-status": "5" };
  assert.equal(toAnswer(head).header("access-control-expose-headers"), undefined);
  const shared = toAnswer({ ...head, "access-control-allow-origin": "*", "access-control-expose-headers": "x" });
  assert.equal(shared.header("access-control-expose-headers"), "x,grpc-status,grpc-message,grpc-status-details-bin");
});
