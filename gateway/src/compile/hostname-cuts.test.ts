/** Routes that a listener cuts to one hostname: the narrower their own hostnames, the sooner they are asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRoute } from "@sallyport/model/route";
import type { Resource } from "@sallyport/model/snapshot";
import {
  TestCompiler,
  toCluster,
  toDestination,
  toEndpoints,
  toListener,
  toRoute,
  toRule,
} from "../../test/compile/resources.ts";
import { toInput } from "../../test/router/inputs.ts";

const HOST = "abc.example.com";
const BASE: readonly Resource[] = [
  toListener("http", { hostname: HOST }),
  toCluster("ns/web:80"),
  toEndpoints("ns/web:80", 1),
];

/** A route on the listener, cut by so much to its hostname. */
function toCutRoute(
  name: string,
  prefixes: readonly string[],
  changes: { readonly cut: number; readonly age: string },
): HttpRoute {
  const rules = prefixes.map((prefix) => toRule(prefix, "ns/web:80", { name: prefix.slice(1) }));
  const attachments = [{ listener: "ns/gateway/http", hostnames: [HOST], cuts: [changes.cut] }];
  return toRoute(name, rules, { age: changes.age, attachments });
}

const EXACT = toCutRoute("exact", ["/both", "/exact"], { cut: 0, age: "3" });
const LONG = toCutRoute("long", ["/both/longer/path", "/long", "/wild"], { cut: 3, age: "2" });
const SHORT = toCutRoute("short", ["/both/longer", "/wild/longer", "/short"], { cut: 11, age: "1" });

/** The route that a path leads to. */
function ask(compiler: TestCompiler, resources: readonly Resource[], path: string): string | undefined {
  const found = toDestination(compiler.activate([...BASE, ...resources]), toInput({ host: HOST, path }));
  return /ns\/(\w+)\//.exec(found.split(" ")[1] ?? "")?.[1];
}

test("a route of a narrower hostname wins over older ones with longer paths, and leaves them what it does not match", () => {
  const compiler = new TestCompiler();
  const routes = [SHORT, LONG, EXACT];
  assert.equal(ask(compiler, routes, "/both/longer/path"), "exact");
  assert.equal(ask(compiler, routes, "/wild/longer"), "long");
  assert.equal(ask(compiler, routes, "/short"), "short");
  assert.equal(ask(compiler, routes, "/none"), undefined);
});

test("routes come and go without a trace of their cuts", () => {
  const compiler = new TestCompiler();
  assert.equal(ask(compiler, [SHORT], "/both/longer"), "short");
  assert.equal(ask(compiler, [SHORT, LONG], "/both/longer/path"), "long");
  assert.equal(ask(compiler, [SHORT, LONG, EXACT], "/both/longer/path"), "exact");
  assert.equal(ask(compiler, [SHORT, LONG], "/both/longer/path"), "long");
  assert.equal(ask(compiler, [SHORT], "/both/longer/path"), "short");
  assert.equal(ask(compiler, [{ ...SHORT, attachments: EXACT.attachments }, LONG], "/both/longer/path"), "short");
  assert.equal(ask(compiler, [], "/both"), undefined);
});
