/** ClientTrafficPolicy: how clients are listened to. The CustomResourceDefinition is made from this. */
import { addressBlocks, duration, flag, integer, list, quantity, section, text, word } from "./field.ts";
import type { Field } from "./field.ts";
import { policyStatus, targetRefs } from "./target.ts";

/** Schema of `spec` and `status`. */
export function clientTrafficPolicy(): Field {
  const spec = section(
    "Fields that are left out are inherited: of several policies the one with the most specific target that sets a field decides it, as a whole. From the most specific: listener, ListenerSet, Gateway.",
    {
      targetRefs: targetRefs({
        rule: "self.group == 'gateway.networking.k8s.io' && self.kind in ['Gateway', 'ListenerSet']",
        message:
          "a target is a Gateway or ListenerSet of group gateway.networking.k8s.io; listeners of Ingresses are shared by all namespaces, so no policy is for them: use a Gateway where they need settings",
        sections: "Name of a listener of the target. Default: all of them.",
      }),
      clientIPDetection: clientIPDetection(),
      proxyProtocol: proxyProtocol(),
      path: path(),
      headers: headers(),
      timeout: timeout(),
      connection: connection(),
      http2: http2(),
      healthCheck: healthCheck(),
      tls: tls(),
    },
    { required: ["targetRefs"] },
  );
  return section(
    "How clients are listened to: whose address is believed, what paths and headers are, limits, timeouts, HTTP/2 and TLS.",
    { spec, status: policyStatus() },
    { required: ["spec"] },
  );
}

function clientIPDetection(): Field {
  return section(
    "Whose address a request has, where proxies stand before this one. Empty: that of the connection, whatever is inherited. Default: that of the connection.",
    {
      xForwardedFor: section(
        "The address is taken from X-Forwarded-For. Exactly one of numTrustedHops and trustedCIDRs.",
        {
          numTrustedHops: integer("How many proxies before this one are trusted to have written the field.", {
            minimum: 1,
            maximum: 255,
          }),
          trustedCIDRs: addressBlocks(
            "Proxies that are trusted; the last address that is none of them is the client's.",
          ),
        },
        {
          rules: [
            {
              rule: "has(self.numTrustedHops) != has(self.trustedCIDRs)",
              message: "give exactly one of numTrustedHops and trustedCIDRs",
            },
          ],
        },
      ),
    },
  );
}

function proxyProtocol(): Field {
  return section(
    "Connections begin with a PROXY header (version 1 or 2) that tells the address of the client. Default: they do not.",
    {
      trustedCIDRs: addressBlocks("Who is believed. Everybody else is served as if there were no such thing."),
      optional: flag(
        "Whether those who are believed may leave the header out. Otherwise it costs them the connection.",
        false,
      ),
    },
    { required: ["trustedCIDRs"] },
  );
}

function path(): Field {
  return section("What is done to paths before they are matched.", {
    escapedSlashesAction: word(
      "What happens to paths with %2F or %5C. KeepUnchanged: nothing. RejectRequest: 400. UnescapeAndRedirect: the client is sent to the path without them. UnescapeAndForward: they become slashes.",
      ["KeepUnchanged", "RejectRequest", "UnescapeAndRedirect", "UnescapeAndForward"],
      "UnescapeAndRedirect",
    ),
    disableMergeSlashes: flag("Whether slashes in a row stay as they are instead of becoming one.", false),
  });
}

function headers(): Field {
  return section("Limits of message heads.", {
    withUnderscoresAction: word(
      "What happens to header fields with _ in their name, which some backends cannot tell from -. Allow: nothing. RejectRequest: 400. DropHeader: they are taken out.",
      ["Allow", "RejectRequest", "DropHeader"],
      "RejectRequest",
    ),
    maxBytes: quantity("Longest head of a request, 1Ki to 1Mi; longer ones are answered 431. Default: 60Ki."),
    maxFields: integer("Most header fields of a request; more are answered 431. Default: 100.", {
      minimum: 1,
      maximum: 10_000,
    }),
  });
}

function timeout(): Field {
  return section("How long clients may take. 0s switches a limit off, but for requestHead.", {
    requestHead: duration("From the first byte of a request's head to the last. Default: 10s.", {
      minimum: "1ms",
      maximum: "1h",
    }),
    requestBodyIdle: duration("Longest wait for the next byte of a request's body. Default: 1m."),
    idle: duration("Longest silence between requests of a connection. Default: 1h."),
    streamIdle: duration("Longest silence inside a request, answer or tunnel. Default: 5m."),
    tcpIdle: duration(
      "Longest silence, in both directions, of connections that are passed on as bytes (TLSRoute, TCPRoute). Default: 1h.",
    ),
  });
}

function connection(): Field {
  return section("Limits of connections.", {
    maxConnections: integer(
      "Connections of the port at once, by one proxy with all its workers; more are closed as they come. Default: no limit.",
      { minimum: 1, maximum: 4_294_967_295 },
    ),
    maxRequests: integer("After so many requests a connection is closed, without losing any. Default: no limit.", {
      minimum: 1,
      maximum: 4_294_967_295,
    }),
    maxDuration: duration(
      "After so long a connection is closed as soon as its requests are answered; one that is passed on as bytes at once; 0s: never. Default: no limit.",
    ),
    tcpKeepAlive: duration(
      "Silence after which the system asks whether the client still lives (SO_KEEPALIVE). Default: never.",
      { minimum: "1s", maximum: "24h" },
    ),
  });
}

function http2(): Field {
  return section("HTTP/2 with clients.", {
    maxConcurrentStreams: integer("Requests at once on one connection. Default: 100.", {
      minimum: 1,
      maximum: 2_147_483_647,
    }),
    streamWindow: quantity(
      "What a client may send of one request beyond what was passed on, below 2Gi. Default: 64Ki.",
    ),
    connectionWindow: quantity("The same for all requests of a connection, 65535 at least. Default: 1Mi."),
    abuseBudget: integer(
      "Events that cost the proxy more than the client (resets, empty frames, SETTINGS, PING), beyond what completed requests pay for. More end the connection. Default: 1000.",
      { minimum: 1, maximum: 1_000_000 },
    ),
  });
}

function healthCheck(): Field {
  return section(
    "Requests of load balancers that ask whether the proxy is well are answered by itself.",
    {
      path: text(
        "Path at which GET and HEAD are answered 200 while the proxy serves, and 503 while it drains, before any route.",
        {
          maxLength: 1024,
          pattern: "^/[!-~]*$",
        },
      ),
    },
    { required: ["path"] },
  );
}

function tls(): Field {
  return section(
    "TLS with clients.",
    {
      minVersion: word("Oldest version that is spoken.", ["1.2", "1.3"], "1.2"),
      maxVersion: word("Newest version that is spoken.", ["1.2", "1.3"], "1.3"),
      ciphers: list(
        "Cipher suites by their names in OpenSSL or at IANA, best first. Default: a safe choice of the proxy.",
        text("Name of a suite.", { maxLength: 64, pattern: "^[A-Z0-9_-]+$" }),
        { minItems: 1, maxItems: 32 },
      ),
    },
    {
      rules: [
        {
          rule: "self.minVersion == '1.2' || self.maxVersion == '1.3'",
          message: "minVersion must not be newer than maxVersion",
        },
      ],
    },
  );
}
