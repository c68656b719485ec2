import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAltName, parseUserName, toSpiffeId } from "./spiffe.ts";

test("an id comes back as the account it was made of", () => {
  const account = { namespace: "shop", name: "web.v2-sallyport" };
  assert.deepEqual(parseAltName(`URI:${toSpiffeId(account, "cluster.local")}`, "cluster.local"), account);
  assert.deepEqual(parseUserName("system:serviceaccount:shop:web.v2-sallyport"), account);
});

test("what is nearly an id is none", () => {
  const good = "URI:spiffe://cluster.local/ns/shop/sa/web";
  const near = [
    undefined,
    "",
    good.slice(4),
    `${good}, DNS:other`,
    `${good}, ${good}`,
    `DNS:x, ${good}`,
    `${good}/`,
    `${good}\n`,
    `${good}?x`,
    good.replace("shop", "../shop"),
    good.replace("shop", ""),
    good.replace("shop", "Shop"),
    good.replace("/sa/", "/sa/x/"),
    good.replace("cluster.local", "cluster.local.evil"),
    good.replace("cluster.local", "clusterxlocal"),
    good.replace("cluster.local", "x@cluster.local"),
    good.replace("spiffe:", "SPIFFE:"),
  ];
  for (const text of near) assert.equal(parseAltName(text, "cluster.local"), undefined, String(text));
  for (const user of ["system:serviceaccount:shop", "system:serviceaccount:shop:a:b", "system:node:shop:a", "x"])
    assert.equal(parseUserName(user), undefined, user);
});
