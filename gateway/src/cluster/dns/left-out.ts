/** What is said of addresses that a name resolves to and no backend can be at. */
import type { SpecialUse } from "@sallyport/model/special-use";

/** One of them, and why. */
export interface LeftOutAddress {
  readonly address: string;
  readonly use: SpecialUse;
}
