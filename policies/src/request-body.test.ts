/** Limits of request bodies, as they are asked of the exchange. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { toRequest } from "../test/views.ts";
import { compileRequestBody } from "./request-body.ts";

test("the limit is asked for, and whether the body is to be whole", () => {
  for (const whole of [true, false]) {
    const request = toRequest({});
    assert.equal(compileRequestBody({ kind: "request-body", maxBytes: 5, whole }).onRequest?.(request), undefined);
    assert.deepEqual(request.limit, [5, whole ? "whole" : "streamed"]);
  }
});
