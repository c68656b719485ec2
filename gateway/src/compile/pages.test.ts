/** Pages that rules answer with: where they come from, and what a change of one does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "@sallyport/model/page";
import type { HttpRule } from "@sallyport/model/route";
import { diffSnapshots, type Resource, toSnapshot } from "@sallyport/model/snapshot";
import { TestCompiler, toListener, toRoute, toRule } from "../../test/compile/resources.ts";
import { toInput } from "../../test/router/inputs.ts";
import { RequestHead } from "../head/request-head.ts";
import { toResponseHead } from "../head/response-head.ts";
import type { CompiledRule } from "../router/contract.ts";
import type { CompiledRuntime } from "./contract.ts";
import { findPage } from "./pages.ts";

const LISTENER = toListener("http");

function toPage(text: string): Page {
  return { kind: "page", key: "BackendTrafficPolicy/ns/p/0", contentType: "text/plain", text };
}

/** A rule for a path that answers with the page. */
function toPagedRule(prefix: string): HttpRule {
  const overrides = [{ statuses: [{ from: 500, to: 599 }], source: "any" as const, headers: [], page: toPage("").key }];
  return { ...toRule(prefix, "ns/web:80"), policies: [{ kind: "response-override", overrides }] };
}

function ruleOf(runtime: CompiledRuntime, path: string): CompiledRule {
  const rule = runtime.binds.get("0.0.0.0:8080")?.route(toInput({ host: "a.example", path }))?.rule;
  assert.ok(rule !== undefined);
  return rule;
}

/** What a rule makes of a 503. */
function answerOf(runtime: CompiledRuntime, path: string): string {
  const head = toResponseHead({ status: 503, headers: [] }, 0).own();
  for (const filter of ruleOf(runtime, path).filters) filter.onResponse?.(head, new RequestHead());
  return String(head.change?.body);
}

test("a changed page is that of every rule that answers with it, and others are not compiled anew", () => {
  const compiler = new TestCompiler();
  const paged = [toRoute("a", [toPagedRule("/a")]), toRoute("b", [toPagedRule("/b")])];
  const rest: Resource[] = [LISTENER, ...paged, toRoute("c", [toRule("/c", "ns/web:80")])];
  const before = toSnapshot([...rest, toPage("old")]);
  const old = compiler.activate(before.resources.values());
  assert.deepEqual([answerOf(old, "/a"), answerOf(old, "/b")], ["old", "old"]);
  const after = toSnapshot([...rest, toPage("new")]);
  for (const delta of [undefined, diffSnapshots(before, after)]) {
    const next = compiler.compile(after, old, delta);
    assert.ok(next.ok);
    assert.deepEqual([answerOf(next.value, "/a"), answerOf(next.value, "/b")], ["new", "new"]);
    assert.equal(answerOf(old, "/a"), "old", "a request keeps the configuration it began with");
    assert.equal(ruleOf(next.value, "/c"), ruleOf(old, "/c"));
  }
});

test("a page is compiled once, however many rules answer with it", () => {
  const snapshot = toSnapshot([toPage("one")]);
  assert.equal(findPage(snapshot, toPage("").key), findPage(snapshot, toPage("").key));
  assert.equal(findPage(snapshot, "other"), undefined);
});

test("a route is refused where its page is not there, and what was served stays", () => {
  const compiler = new TestCompiler();
  const resources: Resource[] = [LISTENER, toRoute("a", [toPagedRule("/a")]), toPage("here")];
  const runtime = compiler.activate(resources);
  const outcome = compiler.compile(toSnapshot(resources.slice(0, 2)), runtime);
  assert.ok(!outcome.ok);
  assert.equal(
    outcome.error[0]?.message,
    "the route ns/a answers with the page BackendTrafficPolicy/ns/p/0, which the snapshot does not hold",
  );
  assert.equal(answerOf(runtime, "/a"), "here");
});
