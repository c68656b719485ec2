/** Where clients of tests without sockets come from. */
import type { DownstreamConnection } from "../src/exchange/contract.ts";

/** Plain, from an address for documentation (RFC 5737) to another. */
export const CLIENT_CONNECTION: DownstreamConnection = {
  scheme: "http",
  remoteAddress: "192.0.2.1",
  remote: "192.0.2.1:1",
  local: "192.0.2.2:80",
  peer: "192.0.2.1:1",
  tls: undefined,
};
