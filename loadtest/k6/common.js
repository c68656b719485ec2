// What the scenarios share: where the proxy is, how long a run lasts, and that not one error is allowed.
import { check } from "k6";
import http from "k6/http";

/** Address of the proxy under test. */
export const target = __ENV.TARGET;

/** Length of the main part of a run in seconds. */
export const seconds = Number(__ENV.SECONDS || 20);

/** No request may fail and no answer may be wrong. */
export const noErrors = { http_req_failed: ["rate==0"], checks: ["rate==1"] };

const host = "shop.example.test";

/** GET of a path of the shop; redirects are answers, not followed. */
export function get(path, name, headers = {}) {
  return http.get(target + path, { headers: { Host: host, ...headers }, redirects: 0, tags: { name } });
}

/** POST of a form to the shop. */
export function post(path, name, body) {
  return http.post(target + path, body, { headers: { Host: host }, redirects: 0, tags: { name } });
}

/** Checks the status, and anything else the caller wants, under the request's name. */
export function expect(response, name, status, more = () => true) {
  check(response, { [name]: (answer) => answer.status === status && more(answer) });
}
