/**
 * Random histories of clients and backends of HTTP/2 that break every rule there is, through all of a gateway in between. The seed of one
 * that fails is printed: FUZZ_SEEDS=SEED-SEED runs it again; SALLYPORT_TEST_RUNS=10 tries ten times as many.
 */
import { test } from "node:test";
import { liveHistories } from "./histories/seeds.ts";

test("whatever backends do to streams and connections, every request has one outcome, which is true", () =>
  liveHistories({ malice: "wild", requests: "any" }, 6));

test("whatever backends do to streams, every request has one outcome, which is true", () =>
  liveHistories({ malice: "streams", requests: "any" }, 6));

test("requests to backends without fault are answered, however clients read", () =>
  liveHistories({ malice: "plain", requests: "honest" }, 6));
