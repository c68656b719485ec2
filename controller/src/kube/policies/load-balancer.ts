/** `loadBalancer` and `locality`: which endpoint answers. */
import { decimal, duration, integer, list, map, percent, section, text, word } from "./field.ts";
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

function consistentHash(): Field {
  return section(
    "Settings of ConsistentHash. When endpoints come and go, few requests change their endpoint.",
    {
      algorithm: word(
        "Maglev: a table; shares are even and the choice costs the same for any number of endpoints. RingHash: a ring of points (ketama); fewer requests move when endpoints change.",
        ["RingHash", "Maglev"],
        "Maglev",
      ),
      ringHash: section(
        "Settings of RingHash.",
        {
          minimumSize: integer("Points on the ring, at least. More make shares more even.", {
            minimum: 1,
            maximum: 8_388_608,
            default: 1024,
          }),
          maximumSize: integer("Points on the ring, at most.", { minimum: 1, maximum: 8_388_608, default: 8_388_608 }),
        },
        {
          rules: [
            {
              rule: "self.minimumSize <= self.maximumSize",
              message: "minimumSize must not be more than maximumSize",
            },
          ],
        },
      ),
      maglev: section("Settings of Maglev.", {
        tableSize: integer("Entries of the table, a prime number; a hundred times the number of endpoints or more.", {
          minimum: 2,
          maximum: 5_000_011,
          default: 65_537,
        }),
      }),
      keys: list(
        "What of a request decides. Keys are looked at in order; the first that a request has counts. A request that has none of them goes anywhere.",
        hashKey(),
        { minItems: 1, maxItems: 8 },
      ),
    },
    {
      required: ["keys"],
      rules: [
        {
          rule: "self.algorithm == 'RingHash' || !has(self.ringHash)",
          message: "ringHash is for algorithm RingHash: change algorithm, or leave ringHash out",
        },
        {
          rule: "self.algorithm == 'Maglev' || !has(self.maglev)",
          message: "maglev is for algorithm Maglev: change algorithm, or leave maglev out",
        },
      ],
    },
  );
}

function hashKey(): Field {
  return section(
    "One part of a request.",
    {
      type: word(
        "Header: all values of a field. Cookie: the value of a cookie. SourceAddress: the address of the client, as it is trusted. QueryParameter: the first value of a parameter of the query.",
        ["Header", "Cookie", "SourceAddress", "QueryParameter"],
      ),
      name: text("Name of the field, cookie or parameter. Names of fields have no case.", {
        maxLength: 256,
      }),
      cookie: section(
        "A client without the cookie is given one, so that its next requests go where the first went. Without this, cookies are only read.",
        {
          ttl: duration("How long the client keeps it; 0s: until it is closed.", { default: "0s" }),
          path: text("Path the cookie is for.", { maxLength: 1024, pattern: "^/[!-:<-~]*$", default: "/" }),
          attributes: list(
            "Further attributes of the cookie, as SameSite or Secure.",
            section(
              "One attribute.",
              {
                name: text("Name of the attribute.", { maxLength: 64, pattern: "^[A-Za-z][A-Za-z0-9-]*$" }),
                value: text("Value of the attribute; without it only the name is written.", {
                  maxLength: 256,
                  pattern: "^[ -:<-~]+$",
                }),
              },
              { required: ["name"] },
            ),
            { maxItems: 8, keys: ["name"] },
          ),
        },
      ),
    },
    {
      required: ["type"],
      rules: [
        {
          rule: "self.type == 'SourceAddress' || has(self.name)",
          message: "name is required for the types Header, Cookie and QueryParameter",
        },
        {
          rule: "self.type != 'SourceAddress' || !has(self.name)",
          message: "SourceAddress has no name: leave name out",
        },
        {
          rule: "self.type == 'Cookie' || !has(self.cookie)",
          message: "cookie is for type Cookie: change type, or leave cookie out",
        },
        {
          rule: "!has(self.name) || !(self.type in ['Header', 'Cookie']) || self.name.matches(r\"^[A-Za-z0-9!#$%&'*+.^_|~-]+$\")",
          message: "name must be a name of a header field or cookie: letters, digits and !#$%&'*+-.^_|~",
        },
      ],
    },
  );
}

const place = {
  maxLength: 253,
  pattern: "^(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*(/(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*)){0,2})$",
};

/** How a proxy's own place counts. */
export function locality(): Field {
  return section(
    "How the place of a proxy counts, by region, zone and subzone. At most one of distribute, failover and priorities. With none of them, endpoints are ranked by how much of region, zone and subzone they share with the proxy.",
    {
      distribute: list(
        "Shares of requests by weight. The first entry that fits the place of the proxy counts.",
        section(
          "Shares for proxies of one place.",
          {
            from: text("Place of proxies: region, region/zone or region/zone/subzone; * stands for the rest.", place),
            to: map(
              "Weight by place of endpoints. Places that are not named get nothing.",
              integer("Share, in proportion to the others.", { minimum: 0, maximum: 1_000_000 }),
              { minProperties: 1, maxProperties: 64 },
            ),
          },
          { required: ["from", "to"] },
        ),
        { minItems: 1, maxItems: 64 },
      ),
      failover: list(
        "Which region helps out first when the region of the proxy is ill.",
        section(
          "One region's helper.",
          {
            from: text("Region of proxies.", { maxLength: 253 }),
            to: text("Region of the endpoints that help out.", { maxLength: 253 }),
          },
          {
            required: ["from", "to"],
            rules: [
              { rule: "self.from != self.to", message: "a region cannot help itself out: from and to must differ" },
            ],
          },
        ),
        { minItems: 1, maxItems: 64, keys: ["from"] },
      ),
      priorities: list(
        "Labels of nodes or pods, as key or key=value. Endpoints rank by how many of them, from the first on, they share with the proxy.",
        text("A label.", { maxLength: 384 }),
        { minItems: 1, maxItems: 16 },
      ),
      zoneAware: section(
        "Endpoints of the proxy's zone are preferred as far as its share of the capacity goes; others get the rest, so that no zone is overloaded. Default: nothing leaves the best rank while it is well.",
        {
          minimumEndpoints: integer("With fewer endpoints than this the zone does not count.", {
            minimum: 1,
            maximum: 65_535,
            default: 6,
          }),
        },
      ),
      overprovisioningPercent: integer(
        "A rank is enough while its fit endpoints, in percent of all of its endpoints, times this are 100 percent. Below, the next rank gets the rest.",
        { minimum: 100, maximum: 1000, default: 140 },
      ),
    },
    {
      rules: [
        {
          rule: "[has(self.distribute), has(self.failover), has(self.priorities)].filter(given, given).size() <= 1",
          message: "distribute, failover and priorities exclude each other: keep one",
        },
        {
          rule: "!has(self.zoneAware) || !has(self.distribute)",
          message: "zoneAware and distribute exclude each other: keep one",
        },
      ],
    },
  );
}
