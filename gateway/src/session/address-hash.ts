/** The hash of who has nothing but an address: connections and datagrams that are passed on. */
import type { HashKey } from "@sallyport/model/traffic";
import { hashText } from "./text-hash.ts";

/** The hash of the client's address (without port), if the keys name it; undefined otherwise. */
export function hashAddress(keys: readonly HashKey[], address: string): number | undefined {
  return keys.some((key) => key.kind === "source-address") ? hashText(address) : undefined;
}
