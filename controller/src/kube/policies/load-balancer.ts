/** `loadBalancer`: how an endpoint is chosen among those that are fit. */
import { consistentHash } from "./consistent-hash.ts";
import { decimal, duration, integer, percent, section, word } from "./field.ts";
import type { Field } from "./field.ts";

/** How an endpoint is chosen among those that are fit. */
export function loadBalancer(): Field {
  return section(
    "How an endpoint is chosen among those that are fit to have requests. Default: LeastRequest.",
    {
      type: word(
        "LeastRequest: the less busy of a few drawn ones, for its weight. RoundRobin: one after the other. Random: any. ConsistentHash: requests that are alike go to the same endpoint.",
        ["LeastRequest", "RoundRobin", "Random", "ConsistentHash"],
      ),
      leastRequest: section("Settings of LeastRequest.", {
        choices: integer("How many endpoints are drawn, of which the least busy is taken.", {
          minimum: 2,
          maximum: 100,
          default: 2,
        }),
        slowStart: slowStart(),
      }),
      roundRobin: section("Settings of RoundRobin.", { slowStart: slowStart() }),
      consistentHash: consistentHash(),
    },
    {
      required: ["type"],
      rules: [
        {
          rule: "self.type != 'ConsistentHash' || has(self.consistentHash)",
          message: "consistentHash is required when type is ConsistentHash: say by which keys requests are told apart",
        },
        {
          rule: "self.type == 'ConsistentHash' || !has(self.consistentHash)",
          message: "consistentHash is for type ConsistentHash: change type, or leave consistentHash out",
        },
        {
          rule: "self.type == 'LeastRequest' || !has(self.leastRequest)",
          message: "leastRequest is for type LeastRequest: change type, or leave leastRequest out",
        },
        {
          rule: "self.type == 'RoundRobin' || !has(self.roundRobin)",
          message: "roundRobin is for type RoundRobin: change type, or leave roundRobin out",
        },
      ],
    },
  );
}

function slowStart(): Field {
  return section(
    "An endpoint that is new, or well again, is given its share of requests little by little. Default: all at once.",
    {
      window: duration("How long it takes until it has all of its share.", { minimum: "1ms", maximum: "1h" }),
      aggression: decimal("The share grows as time^(1/aggression): 1 is linear, more gives more earlier.", {
        minimum: 0.1,
        maximum: 10,
        default: 1,
      }),
      minimumPercent: percent("Percent of its share that it has at the beginning.", 10),
    },
    { required: ["window"] },
  );
}
