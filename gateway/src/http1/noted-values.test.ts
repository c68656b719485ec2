/** Where a head says that the values of log lines are, against what a search of its lines finds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { RequestHead } from "../head/request-head.ts";
import { HeadParser } from "./head-parser.ts";
import { RequestBuilder } from "./request-builder.ts";

const CONNECTION = {
  scheme: "http",
  remoteAddress: "192.0.2.1",
  remote: "192.0.2.1:4711",
  local: "192.0.2.2:80",
  peer: "192.0.2.1:4711",
  tls: undefined,
} as const;

const OPTIONS = { ...DEFAULT_HTTP_SERVER_OPTIONS, underscores: "allow" } as const;

/** As on one connection: each head into the objects that the one before left, behind bytes of something else. */
function openReader(): (target: string, ...lines: readonly string[]) => RequestHead {
  const parser = new HeadParser();
  const builder = new RequestBuilder(CONNECTION, OPTIONS);
  const head = new RequestHead();
  let before = 0;
  return (target, ...lines) => {
    before = (before + 5) % 16;
    const text = [`GET ${target} HTTP/1.1`, "Host: a.test", ...lines, "", ""].join("\r\n");
    const bytes = Buffer.from(`${"x".repeat(before)}${text}rest`, "latin1");
    const behind = parser.request(bytes, before, bytes.length, OPTIONS);
    assert.equal(behind, before + text.length);
    assert.ok(builder.build(head, parser.head, bytes, text.slice(0, -2)));
    return head;
  };
}

const agentOf = (head: RequestHead): string | undefined =>
  head.agentFrom < 0 ? undefined : head.text.slice(head.agentFrom, head.agentTo);
const targetOf = (head: RequestHead): string => head.text.slice(head.targetFrom, head.targetFrom + head.target.length);

test("the value of User-Agent is where it was found, without blanks, in any case, whether it goes on or not", () => {
  const read = openReader();
  for (const [lines, agent] of [
    [["User-Agent: curl/8"], "curl/8"],
    [["Accept: */*", "uSER-aGENT:\t a b \t", "X-Y: z"], "a b"],
    [["USER-AGENT:\xa0\xe9"], "\xa0\xe9"],
    [["User-Agent:"], ""],
    [["Connection: user-agent", "User-Agent: x"], "x"],
  ] as const) {
    const head = read("/a", ...lines);
    assert.equal(agentOf(head), agent);
    assert.equal(head.received("user-agent"), agent);
  }
});

test("where there is no User-Agent, or not one alone, it has to be looked for", () => {
  const read = openReader();
  for (const lines of [
    [],
    ["User-Agents: a", "User-Agen: b", "User_Agent: c", "XUser-Agent: d", "A: user-agent: e"],
    ["User-Agent: a", "User-Agent: b"],
    ["User-Agent: a", "User-Agent: b", "User-Agent: c"],
  ]) {
    assert.equal(agentOf(read("/a", "User-Agent: of the head before")), "of the head before");
    assert.equal(agentOf(read("/a", ...lines)), undefined);
  }
});

test("the target is where the client has put it", () => {
  const read = openReader();
  for (const target of ["/", "/a//b/../c?x=%2f", "http://b.test/c?d"]) assert.equal(targetOf(read(target)), target);
});
