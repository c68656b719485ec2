/** Compression: answers in fewer bytes, for clients that take it. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Scenario } from "../scenario.ts";

const CODINGS = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync } as const;

/** What `try.ts compression` runs. */
export const compression: Scenario = {
  title: "answers in fewer bytes, in the coding that a client likes",
  async run(shop) {
    shop.say("the page of the shop:");
    const plain = await shop.ask("/");
    shop.say(`  ${plain.bytes.length} bytes as it is`);
    shop.expect(plain.headers["content-encoding"] === undefined, "who takes no coding gets it as it is");
    shop.expect(
      plain.headers.vary?.toLowerCase() === "accept-encoding",
      "with Vary, so that caches keep the two apart",
    );
    for (const [coding, decode] of Object.entries(CODINGS)) {
      const { headers, bytes } = await shop.ask("/", { headers: { "accept-encoding": coding } });
      shop.say(`  ${bytes.length} bytes by ${coding}`);
      shop.expect(headers["content-encoding"] === coding && bytes.length < plain.bytes.length / 2, "less than half");
      shop.expect(decode(bytes).equals(plain.bytes), "and the same page once decoded");
    }
    const { headers } = await shop.ask("/", { headers: { "accept-encoding": "gzip;q=0.5, br, zstd;q=0" } });
    shop.say(`  of gzip;q=0.5, br, zstd;q=0 the gateway takes ${headers["content-encoding"]}`);
    shop.expect(headers["content-encoding"] === "br", "what the client likes best is taken");
    const small = await shop.ask("/api/products/rope", { headers: { "accept-encoding": "gzip" } });
    shop.say(`  one product, of ${small.bytes.length} bytes`);
    shop.expect(small.headers["content-encoding"] === undefined, "what is small already stays as it is");
  },
};
