/** The connection that the fields of requests are said to come on. */
import type { DownstreamConnection } from "../../src/exchange/contract.ts";

/** Over TLS, from 192.0.2.1. */
export const REQUEST_CONNECTION: DownstreamConnection = {
  scheme: "https",
  remoteAddress: "192.0.2.1",
  remote: "192.0.2.1:5000",
  local: "192.0.2.9:443",
  peer: "192.0.2.1:5000",
  tls: undefined,
};
