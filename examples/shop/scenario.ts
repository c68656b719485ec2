/** What a mechanism is shown by: a file in mechanisms/ with objects, and one of these beside it. */
import type { Shop } from "./shop.ts";

/** One mechanism, shown. */
export interface Scenario {
  /** One line: what the mechanism does. */
  readonly title: string;
  /** Shows it in a shop that has its objects. Throws where something is not as documented. */
  readonly run: (shop: Shop) => Promise<void>;
}
