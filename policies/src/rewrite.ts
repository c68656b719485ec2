/** URL rewrite: authority and path the upstream sees (Gateway API HTTPURLRewriteFilter). */
import type { RewritePolicy } from "@sallyport/model/policy";
import type { Filter } from "./filter.ts";
import { compilePathEdit } from "./path-edit.ts";

/** Sets Host and path of the request that goes upstream. */
export function compileRewrite(policy: RewritePolicy): Filter {
  const edit = policy.path === undefined ? undefined : compilePathEdit(policy.path);
  const { hostname } = policy;
  return {
    deterministic: true,
    onRequest(request) {
      if (hostname !== undefined) request.authority = hostname;
      // `OPTIONS *` has no path to edit.
      if (edit !== undefined && request.path !== "*") request.path = edit(request.path, request.matchedPrefix);
      return undefined;
    },
  };
}
