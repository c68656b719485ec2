/** Finished exchanges for tests of what is recorded of them. */
import type { ExchangeRecord } from "../../src/observe/contract.ts";

/** What a test may say of an exchange; headers by lower-case name. */
export type RecordParts = Partial<Omit<ExchangeRecord, "requestHeader" | "responseHeader">> & {
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
};

/** An exchange that went well, but for what the test says. */
export function toRecord(parts: RecordParts = {}): ExchangeRecord {
  const { requestHeaders = {}, responseHeaders = {}, ...rest } = parts;
  return {
    listenerMetrics: 1,
    listenerKey: "default/gw/http",
    method: "GET",
    originalPath: "/a?b=c",
    authority: "shop.example.com",
    protocol: "HTTP/1.1",
    scheme: "http",
    status: 200,
    flag: "-",
    details: "via_upstream",
    requestId: "5ad0c1ee-0000-8000-8000-000000000001",
    bytesReceived: 3,
    bytesSent: 65,
    startedAt: 1000,
    endedAt: 1012.7,
    upstreamStartedAt: 1009.9,
    downstreamRemote: "10.0.0.9:54321",
    downstreamLocal: "10.0.0.1:8080",
    downstreamPeer: "10.0.0.9:54321",
    tls: undefined,
    clientAddress: "10.0.0.9",
    upstreamHost: "10.1.0.5:9000",
    upstreamCluster: "default/web:80",
    routeName: "default/web/0",
    requestHeader: (name) => requestHeaders[name],
    responseHeader: (name) => responseHeaders[name],
    ...rest,
  };
}
