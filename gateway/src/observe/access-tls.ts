/** What log lines tell of TLS. Values have one character a byte, and names of certificates may be any Unicode. */
import type { ClientCertificate } from "../exchange/contract.ts";
import type { LoggedRecord } from "./logged-record.ts";

/** The server name of the handshake, terminated here or passed on. */
export function toServerName({ tls, serverName }: LoggedRecord): string | undefined {
  return toBytes(tls === undefined ? serverName : tls.serverName);
}

/** As OpenSSL names it. */
export function toTlsVersion({ tls }: LoggedRecord): string | undefined {
  return tls?.version;
}

/** As OpenSSL names it. */
export function toTlsCipher({ tls }: LoggedRecord): string | undefined {
  return tls?.cipher;
}

/** Why TLS with the endpoint failed. */
export function toFailure({ upstreamFailure }: LoggedRecord): string | undefined {
  return upstreamFailure === "" ? undefined : toBytes(upstreamFailure);
}

/** A value of the client's certificate, several joined with commas; undefined where there is none, or it is empty. */
export function ofPeer(
  read: (certificate: ClientCertificate) => string | readonly string[],
): (record: LoggedRecord) => string | undefined {
  return ({ tls }) => {
    if (tls?.clientCertificate === undefined) return undefined;
    const value = read(tls.clientCertificate);
    return toBytes(typeof value === "string" ? value : value.join(",")) || undefined;
  };
}

function toBytes(text: string | undefined): string | undefined {
  if (text === undefined || !/[^ -~]/.test(text)) return text;
  return Buffer.from(text, "utf8").toString("latin1");
}
