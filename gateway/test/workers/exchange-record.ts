/** Finished exchanges and streams for tests of what is recorded of them. */
import type { ClientCertificate, DownstreamTls } from "../../src/exchange/contract.ts";
import type { ExchangeRecord, StreamRecord } from "../../src/observe/contract.ts";

/** What a test may say of an exchange; headers by lower-case name. */
export type RecordParts = Partial<Omit<ExchangeRecord, "requestHeader" | "responseHeader" | "responseTrailer">> & {
  readonly responseTrailers?: Readonly<Record<string, string>>;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
};

/** An exchange that went well, but for what the test says. */
export function toRecord(parts: RecordParts = {}): ExchangeRecord {
  const { requestHeaders = {}, responseHeaders = {}, responseTrailers = {}, ...rest } = parts;
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
    pathPart: undefined,
    agentPart: undefined,
    idPair: undefined,
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
    upstreamFailure: "",
    attempts: 1,
    routeName: "default/web/0",
    requestHeader: (name) => requestHeaders[name],
    responseHeader: (name) => responseHeaders[name],
    isGrpc: false,
    responseTrailer: (name) => responseTrailers[name],
    ...rest,
  };
}

/** A connection that was passed on and ended well, but for what the test says. */
export function toStreamRecord(parts: Partial<StreamRecord> = {}): StreamRecord {
  return {
    protocol: "TCP",
    listenerMetrics: 1,
    listenerKey: "default/gw/db",
    flag: "-",
    details: "",
    bytesReceived: 10,
    bytesSent: 20,
    startedAt: 1000,
    endedAt: 1250,
    downstreamRemote: "10.0.0.9:54321",
    downstreamLocal: "10.0.0.1:5432",
    downstreamPeer: "10.0.0.7:1111",
    clientAddress: "10.0.0.9",
    upstreamHost: "10.1.0.5:5432",
    upstreamCluster: "default/db:5432",
    routeName: "TCPRoute/default/db",
    tls: undefined,
    serverName: undefined,
    datagramsReceived: 0,
    datagramsSent: 0,
    ...parts,
  };
}

/** What is known of a TLS connection whose client showed a certificate, but for what the test says. */
export function toTls(parts: Partial<DownstreamTls> = {}, peer: Partial<ClientCertificate> = {}): DownstreamTls {
  return {
    serverName: "shop.example.com",
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    listenerKey: "default/gw/https",
    sessionContext: "",
    resumed: false,
    clientCertificate: {
      verified: true,
      subject: "CN=client,O=Acme",
      issuer: "CN=authority",
      serialNumber: "0A1B",
      fingerprint: "ab".repeat(32),
      uriNames: ["spiffe://mesh/a", "spiffe://mesh/b"],
      dnsNames: ["client.example"],
      notAfter: new Date(0),
      ...peer,
    },
    ...parts,
  };
}
