/** `sessionPersistence`: the endpoint that answered a client's first request answers the others too (GEP-1619). */
import { duration, section, text, word } from "./field.ts";
import type { Field } from "./field.ts";

/** Where a client keeps its session, and how long. The fields are those of the Gateway API. */
export function sessionPersistence(): Field {
  return section(
    "The endpoint that answered a client's first request answers its others too. That of a route's rule goes before this.",
    {
      sessionName: text("Name of the cookie or header field. Default: one made from the route.", {
        maxLength: 128,
        pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
      }),
      absoluteTimeout: duration("A session ends so long after it began. Default: no limit.", {
        minimum: "1s",
      }),
      idleTimeout: duration("A session ends so long after it was last used. Default: no limit.", {
        minimum: "1s",
      }),
      type: word(
        "Where the client keeps it: in a cookie, or in a header field that it sends back.",
        ["Cookie", "Header"],
        "Cookie",
      ),
      cookieConfig: section("Settings of type Cookie.", {
        lifetimeType: word(
          "Session: until the client is closed. Permanent: for absoluteTimeout.",
          ["Permanent", "Session"],
          "Session",
        ),
      }),
    },
    {
      rules: [
        {
          rule: "!has(self.cookieConfig) || self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)",
          message: "absoluteTimeout is required when cookieConfig.lifetimeType is Permanent",
        },
        {
          rule: "!has(self.cookieConfig) || self.type == 'Cookie'",
          message: "cookieConfig is for type Cookie: change type, or leave cookieConfig out",
        },
      ],
    },
  );
}
