/**
 * Keeps web pages away from the admin API. A browser on this machine would happily send a page's requests to loopback:
 * by a name the page's owner lets resolve to 127.0.0.1 (DNS rebinding), or as a plain cross-origin POST.
 */
import { isIP } from "node:net";
import type { OperatorRequest } from "./operator-request.ts";

/** Why a request is refused, or undefined. `bound` is the address the API listens on. */
export function findIntrusion(request: OperatorRequest, bound: string): string | undefined {
  const host = request.header("host") ?? "";
  if (isLoopback(bound) && !isLoopback(toHostname(host))) {
    return "the admin API on loopback answers to the names localhost, 127.0.0.1 and [::1] only";
  }
  const origin = request.header("origin");
  if (origin !== undefined && origin !== `http://${host}`)
    return "requests from web pages of other origins are refused";
  const site = request.header("sec-fetch-site");
  if (request.method === "POST" && site !== undefined && site !== "same-origin" && site !== "none") {
    return "requests from web pages of other origins are refused";
  }
  return undefined;
}

/** Without port and brackets. */
function toHostname(host: string): string {
  const name = host.replace(/:\d+$/, "");
  return name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name.toLowerCase();
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
