/** `locality`: how the place of a proxy counts when it chooses endpoints. */
import { integer, list, map, section, text } from "./field.ts";
import type { Field } from "./field.ts";

/** How a proxy's own place counts. */
export function locality(): Field {
  return section(
    "How the place of a proxy counts, by region, zone and subzone. At most one of distribute, failover and priorities. With none of them, endpoints are ranked by how much of region, zone and subzone they share with the proxy.",
    {
      distribute: distribute(),
      failover: failover(),
      priorities: list(
        "Labels of the node, as key (the same as the proxy's) or key=value. Endpoints rank by how many of them, from the first on, they have. Known are topology.kubernetes.io/region, topology.kubernetes.io/zone, topology.istio.io/subzone and kubernetes.io/hostname; others are left out.",
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

const PLACE = "^(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*(/(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*)){0,2})$";

function distribute(): Field {
  const places = {
    rule: `self.all(place, place.matches(r"${PLACE}"))`,
    message: "places are written as region, region/zone or region/zone/subzone, where * stands for the rest",
  };
  const share = section(
    "Shares for proxies of one place.",
    {
      from: text("Place of proxies: region, region/zone or region/zone/subzone; * stands for the rest.", {
        maxLength: 253,
        pattern: PLACE,
      }),
      to: map(
        "Weight by place of endpoints, written as from. Places that are not named get nothing.",
        integer("Share, in proportion to the others.", { minimum: 0, maximum: 1_000_000 }),
        { minProperties: 1, maxProperties: 64, rules: [places] },
      ),
    },
    { required: ["from", "to"] },
  );
  return list("Shares of requests by weight. The first entry that fits the place of the proxy counts.", share, {
    minItems: 1,
    maxItems: 64,
  });
}

function failover(): Field {
  const helper = section(
    "One region's helper.",
    {
      from: text("Region of proxies.", { maxLength: 253 }),
      to: text("Region of the endpoints that help out.", { maxLength: 253 }),
    },
    {
      required: ["from", "to"],
      rules: [{ rule: "self.from != self.to", message: "a region cannot help itself out: from and to must differ" }],
    },
  );
  return list("Which region helps out first when the region of the proxy is ill.", helper, {
    minItems: 1,
    maxItems: 64,
    keys: ["from"],
  });
}
