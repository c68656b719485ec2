/** `healthCheck`: which endpoints are fit to have requests. */
import { duration, flag, integer, list, percent, section, statuses, text, word } from "./field.ts";
import type { Field, Rule } from "./field.ts";

/** How it is found out which endpoints are fit. */
export function healthCheck(): Field {
  return section("Which endpoints are fit to have requests. Default: those that Kubernetes says are ready.", {
    active: active(),
    passive: passive(),
    panicThreshold: percent(
      "With less than so many percent of endpoints fit, all are used as if they were. 0: what is not fit is never used.",
      50,
    ),
  });
}

const activeRules: readonly Rule[] = [
  {
    rule: "self.type != 'HTTP' || has(self.http)",
    message: "http is required when type is HTTP: say which path is asked for",
  },
  {
    rule: "self.type == 'HTTP' || !has(self.http)",
    message: "http is for type HTTP: change type, or leave http out",
  },
  {
    rule: "self.type == 'GRPC' || !has(self.grpc)",
    message: "grpc is for type GRPC: change type, or leave grpc out",
  },
];

function active(): Field {
  return section(
    "Endpoints are asked whether they are well: each one once per proxy, however many routes use it.",
    {
      type: word(
        "HTTP: a request with a status that is expected. GRPC: the call grpc.health.v1.Health/Check. TCP: a connection comes up. All with the TLS of the backend.",
        ["HTTP", "GRPC", "TCP"],
      ),
      http: httpCheck(),
      grpc: section("Settings of type GRPC.", {
        service: text("Service that is asked for. Default: the server as a whole.", {
          maxLength: 1024,
          pattern: "^[!-~]+$",
        }),
      }),
      port: integer("Port that is asked. Default: that of the endpoint.", { minimum: 1, maximum: 65_535 }),
      interval: duration("Time between the end of one check and the next, of an endpoint that is well.", {
        minimum: "100ms",
        maximum: "24h",
        default: "10s",
      }),
      unhealthyInterval: duration("The same, of an endpoint that is not well. Default: interval.", {
        minimum: "100ms",
        maximum: "24h",
      }),
      timeout: duration("How long one check may take.", { minimum: "1ms", maximum: "10m", default: "1s" }),
      unhealthyThreshold: integer("After so many failures in a row an endpoint is not well.", {
        minimum: 1,
        maximum: 100,
        default: 3,
      }),
      healthyThreshold: integer(
        "After so many successes in a row it is well again. The first check decides by itself.",
        {
          minimum: 1,
          maximum: 100,
          default: 1,
        },
      ),
    },
    {
      required: ["type"],
      rules: activeRules,
    },
  );
}

function httpCheck(): Field {
  return section(
    "Settings of type HTTP.",
    {
      path: text("Path that is asked for, with its query.", { maxLength: 1024, pattern: "^/[!-~]*$" }),
      method: word("Method of the request.", ["GET", "HEAD", "OPTIONS"], "GET"),
      host: text("Host of the request. Default: the address of the endpoint.", {
        maxLength: 253,
        pattern: "^[A-Za-z0-9._:\\[\\]-]+$",
      }),
      expectedStatuses: statuses("Statuses of an endpoint that is well. Default: 200.", { minItems: 1, maxItems: 16 }),
    },
    { required: ["path"] },
  );
}

function passive(): Field {
  const count = (description: string, initial: number): Field =>
    integer(description, { minimum: 0, maximum: 1_000_000, default: initial });
  return section(
    "Endpoints are left out for a while after failures of real requests (outlier detection). A count of 0 switches its cause off.",
    {
      consecutive5xxErrors: count(
        "After so many answers of 500 to 599 in a row. Failures without an answer count too, unless they are split off.",
        5,
      ),
      consecutiveGatewayErrors: count("After so many answers of 502, 503 and 504 in a row, and failures as above.", 0),
      splitExternalLocalOriginErrors: flag("Whether failures without an answer are counted on their own.", false),
      consecutiveLocalOriginFailures: count(
        "After so many failures without an answer in a row (no connection, timeout, reset), where they are split off.",
        5,
      ),
      statuses: list(
        "Statuses that count as 5xx. Default: 500 to 599.",
        integer("A status.", { minimum: 100, maximum: 599 }),
        { minItems: 1, maxItems: 64 },
      ),
      ...ejectionTimes(),
      maxEjectionPercent: percent(
        "Of the endpoints, at most so many percent are left out at once; one may always be where there is another.",
        10,
      ),
    },
    {
      rules: [
        {
          rule: "!has(self.maxEjectionTime) || duration(self.baseEjectionTime) <= duration(self.maxEjectionTime)",
          message: "baseEjectionTime must not be longer than maxEjectionTime",
        },
      ],
    },
  );
}

function ejectionTimes(): Readonly<Record<string, Field>> {
  return {
    interval: duration("Time without an ejection that takes one off what makes the next one longer.", {
      minimum: "1ms",
      maximum: "1h",
      default: "10s",
    }),
    baseEjectionTime: duration("How long an endpoint is left out, times how often it was.", {
      minimum: "1ms",
      maximum: "24h",
      default: "30s",
    }),
    maxEjectionTime: duration(
      "The longest that one is left out. Default: 300s, or baseEjectionTime if that is longer.",
      {
        minimum: "1ms",
        maximum: "24h",
      },
    ),
  };
}
