/** `circuitBreaker`: the most of everything that a backend is given at once. */
import { integer, section } from "./field.ts";
import type { Field } from "./field.ts";

/** The most of everything at once. */
export function circuitBreaker(): Field {
  const limit = (description: string, minimum: number): Field =>
    integer(description, { minimum, maximum: 4_294_967_295 });
  return section(
    "The most that a backend is given at once, by one proxy with all its workers. What is beyond a limit is answered 503 with the flag UO.",
    {
      maxConnections: limit(
        "Connections to all endpoints; requests beyond wait. Each worker may have one in any case. Default: 4096.",
        1,
      ),
      maxPendingRequests: limit("Requests that wait for a connection; those beyond are refused. Default: 4096.", 0),
      maxParallelRequests: limit("Requests on connections; those beyond are refused. Default: no limit.", 0),
      maxParallelRetries: limit("Retries; those beyond are not made, besides the retry budget. Default: no limit.", 0),
      maxRequestsPerConnection: limit(
        "After so many requests a connection is used for no more of them. Default: no limit.",
        1,
      ),
      perEndpoint: section("Limits for each endpoint.", {
        maxConnections: limit("Connections to one endpoint. Default: no limit.", 1),
      }),
    },
  );
}
