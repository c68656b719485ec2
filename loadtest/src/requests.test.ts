import assert from "node:assert/strict";
import { test } from "node:test";
import { fixedRequests, postRequests, routeRequests, varyingRequests } from "./requests.ts";

test("varying requests all differ in their whole head and are the same in every run", () => {
  const requests = varyingRequests();
  assert.equal(new Set(requests).size, 1009);
  assert.equal(new Set(requests.map((request) => request.split("\r\n")[0])).size, 1009);
  assert.ok(new Set(requests.map((request) => request.length)).size > 100);
  assert.ok(new Set(requests.map((request) => /User-Agent: .*/.exec(request)?.[0])).size >= 4);
  assert.deepEqual(varyingRequests(), requests);
});

test("there is one request for each of the ten thousand routes, and neighbours have other hosts", () => {
  const requests = routeRequests();
  const route = (request: string): string => {
    return `${/Host: (.*)\r/.exec(request)?.[1]}${/^GET (\/part-\d)\//.exec(request)?.[1]}`;
  };
  assert.equal(new Set(requests.map(route)).size, 10_000);
  const host = (request: string | undefined): string | undefined => /Host: (.*)\r/.exec(request ?? "")?.[1];
  assert.ok(requests.every((request, index) => host(request) !== host(requests[index + 1])));
});

test("every request is one complete HTTP/1.1 message without the byte that separates them in a file", () => {
  for (const request of [...varyingRequests(50), ...fixedRequests()]) {
    assert.match(request, /^GET \/\S* HTTP\/1\.1\r\n(?:[A-Za-z-]+: [^\r\n\0]+\r\n)+\r\n$/);
  }
  const [post = ""] = postRequests(1024);
  assert.match(post, /^POST \/sink HTTP\/1\.1\r\n(?:[A-Za-z-]+: [^\r\n\0]+\r\n)+\r\nx{1024}$/);
  assert.match(post, /Content-Length: 1024\r\n/);
});
