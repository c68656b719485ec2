/** `loadBalancer.consistentHash`: requests that are alike go to the same endpoint. */
import { duration, integer, list, section, text, word } from "./field.ts";
import type { Field, Rule } from "./field.ts";

/** Settings of consistent hashing. */
export function consistentHash(): Field {
  return section(
    "Settings of ConsistentHash. When endpoints come and go, few requests change their endpoint.",
    {
      algorithm: word(
        "Maglev: a table; shares are even, and a choice costs the same for any number of endpoints. RingHash: a ring of points (ketama); fewer requests move when endpoints change.",
        ["RingHash", "Maglev"],
        "Maglev",
      ),
      ringHash: ringHash(),
      maglev: section("Settings of Maglev.", {
        tableSize: integer("Entries of the table: a prime number, a hundred times the number of endpoints or more.", {
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

function ringHash(): Field {
  const points = (description: string, initial: number): Field =>
    integer(description, { minimum: 1, maximum: 8_388_608, default: initial });
  return section(
    "Settings of RingHash.",
    {
      minimumSize: points("Points on the ring, at least. More make shares more even.", 1024),
      maximumSize: points("Points on the ring, at most.", 8_388_608),
    },
    {
      rules: [
        { rule: "self.minimumSize <= self.maximumSize", message: "minimumSize must not be more than maximumSize" },
      ],
    },
  );
}

const keyRules: readonly Rule[] = [
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
    rule: "!has(self.name) || !(self.type in ['Header', 'Cookie']) || self.name.matches(\"^[A-Za-z0-9!#$%&'*+.^_|~-]+$\")",
    message: "name must be a name of a header field or cookie: letters, digits and !#$%&'*+-.^_|~",
  },
];

function hashKey(): Field {
  return section(
    "One part of a request.",
    {
      type: word(
        "Header: all values of a field. Cookie: the value of a cookie. SourceAddress: the address of the client, as it is trusted. QueryParameter: the first value of a parameter of the query.",
        ["Header", "Cookie", "SourceAddress", "QueryParameter"],
      ),
      name: text("Name of the field, cookie or parameter. Names of fields have no case.", { maxLength: 256 }),
      cookie: hashCookie(),
    },
    { required: ["type"], rules: keyRules },
  );
}

function hashCookie(): Field {
  const attribute = section(
    "One attribute.",
    {
      name: text("Name of the attribute.", { maxLength: 64, pattern: "^[A-Za-z][A-Za-z0-9-]*$" }),
      value: text("Value of the attribute; without it only the name is written.", {
        maxLength: 256,
        pattern: "^[ -:<-~]+$",
      }),
    },
    { required: ["name"] },
  );
  return section(
    "A client without the cookie is given one, so that its next requests go where the first went. Default: cookies are only read.",
    {
      ttl: duration("How long the client keeps it; 0s: until it is closed.", { default: "0s" }),
      path: text("Path the cookie is for.", { maxLength: 1024, pattern: "^/[!-:<-~]*$", default: "/" }),
      attributes: list("Further attributes of the cookie, as SameSite or Secure.", attribute, {
        maxItems: 8,
        keys: ["name"],
      }),
    },
  );
}
