/** Limits the bodies of requests, and has them wait until they are whole. The exchange does both. */
import type { RequestBodyPolicy } from "@sallyport/model/policy";
import type { Filter } from "./filter.ts";

/** Compiles the policy. */
export function compileRequestBody({ maxBytes, whole }: RequestBodyPolicy): Filter {
  const mode = whole ? "whole" : "streamed";
  return {
    deterministic: true,
    onRequest(request) {
      request.limitBody(maxBytes, mode);
      return undefined;
    },
  };
}
