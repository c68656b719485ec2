/** What is known of a connection when its handshake is done, and whether it may stay. */
import type { TLSSocket } from "node:tls";
import type { ClientCertificate, DownstreamTls } from "../exchange/contract.ts";
import type { CompiledTlsChain, TlsClientValidation } from "../router/contract.ts";
import { isInForce, toClientCertificate } from "./client-certificate.ts";

/** Names of versions and ciphers, once each: all connections share a handful. */
const names = new Map<string, string>();

/** The facts; undefined: the client has not proved what it must. `now`: milliseconds since 1970. */
export function describeTls(
  socket: TLSSocket,
  chain: CompiledTlsChain,
  serverName: string | undefined,
  now: number,
): DownstreamTls | undefined {
  const shown = judgeClient(socket, chain.termination?.clientValidation, now);
  if (shown === "refused") return undefined;
  return {
    serverName,
    version: toShared(socket.getProtocol() ?? ""),
    cipher: toShared(socket.getCipher().name),
    listenerKey: chain.listener.key,
    sessionContext: chain.termination?.sessionContext ?? "",
    resumed: socket.isSessionReused(),
    clientCertificate: shown,
  };
}

/**
 * What the client showed. OpenSSL's verdict covers the chain and is part of a resumed session; whether the certificate is still
 * valid now, and there at all, is looked at each time. (Node calls a session of TLS 1.3 that was resumed without a certificate
 * authorized, so that alone means nothing.)
 */
function judgeClient(
  socket: TLSSocket,
  validation: TlsClientValidation | undefined,
  now: number,
): ClientCertificate | undefined | "refused" {
  if (validation === undefined) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return validation.mode === "require" ? "refused" : undefined;
  const verified = socket.authorized && isInForce(certificate, now);
  if (!verified && validation.mode !== "request") return "refused";
  try {
    return toClientCertificate(certificate, verified);
  } catch {
    // names that cannot be told apart would be passed on as somebody's identity
    return "refused";
  }
}

function toShared(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, name);
  return name;
}
