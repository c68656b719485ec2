/** Pages: what stands for facts, and that no fact becomes markup. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePage, type PageFacts } from "./page.ts";

const FACTS: PageFacts = { status: "503", reason: "Service Unavailable", requestId: `<a href="x">&'` };

function render(contentType: string, text: string, facts = FACTS): string {
  return compilePage({ contentType, text }).render(facts);
}

test("words in percent signs stand for facts, and nothing else does", () => {
  assert.equal(
    render("text/plain", "%STATUS%%REASON% %STATUS %% %status% %OTHER%"),
    "503Service Unavailable %STATUS %% %status% %OTHER%",
  );
  assert.equal(render("text/plain", "100%STATUS%%"), "100503%");
});

test("a fact that looks like a word is not read again", () => {
  assert.equal(render("text/plain", "%REQUEST_ID%", { ...FACTS, requestId: "%STATUS%$&$1" }), "%STATUS%$&$1");
});

test("facts are escaped for what the page is", () => {
  const markup = "&lt;a href=&quot;x&quot;&gt;&amp;&#39;";
  for (const type of ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml"])
    assert.equal(render(type, "%REQUEST_ID%"), markup, type);
  assert.equal(render("application/json", '{"id":"%REQUEST_ID%"}'), `{"id":"<a href=\\"x\\">&'"}`);
  assert.equal(render("text/plain", "%REQUEST_ID%"), FACTS.requestId);
});

test("whatever a request is called, JSON stays JSON and HTML gets no tag", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (requestId) => {
      const facts = { ...FACTS, requestId };
      const text = render("application/problem+json", '{"id":"%REQUEST_ID%"}', facts);
      assert.deepEqual(JSON.parse(text), { id: requestId });
      assert.doesNotMatch(render("text/html", "%REQUEST_ID%", facts), /[<>"']/);
    }),
  );
});

test("text that names no charset says that it is UTF-8", () => {
  const type = (contentType: string): string => compilePage({ contentType, text: "" }).contentType;
  assert.deepEqual(
    [type("text/html"), type("text/html; Charset=latin1"), type("application/json")],
    ["text/html; charset=utf-8", "text/html; Charset=latin1", "application/json"],
  );
});
