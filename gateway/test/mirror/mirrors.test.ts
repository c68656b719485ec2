/**
 * Random histories of requests that are mirrored to backends without manners. Whatever becomes of the copies, clients and main backends see
 * what they would see without, and nothing is left behind. FUZZ_SEEDS=SEED-SEED runs one that failed again.
 */
import { test } from "node:test";
import { liveHistories } from "../http2/histories/seeds.ts";

test("whatever becomes of copies, requests are answered as they are without", () =>
  liveHistories({ malice: "plain", requests: "honest", copies: "wild" }, 3));

test("copies and requests may both end in any way", () =>
  liveHistories({ malice: "wild", requests: "any", copies: "streams" }, 3));
