/** The ways of a TLS port, for tests: chains and terminations by server name. */
import { createHash } from "node:crypto";
import type { CertifiedKey } from "@sallyport/testkit/certs";
import type { CompiledTls, CompiledTlsChain, TlsTermination } from "../../src/router/contract.ts";
import { toListener } from "../http1/rig.ts";

/** A termination that shows these certificates; ids are made of content, as the compiler does. */
export function toTermination(
  certificates: readonly (CertifiedKey & { readonly staple?: Buffer })[],
  changes: Partial<Omit<TlsTermination, "id" | "certificates">> = {},
): TlsTermination {
  const rest = {
    certificates: certificates.map(({ cert, key, staple }) => ({ chain: cert, key, ocspStaple: staple })),
    clientValidation: undefined,
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: undefined,
    applicationProtocols: ["http/1.1"],
    ...changes,
  } as const;
  const sessionContext = changes.sessionContext ?? JSON.stringify(rest.clientValidation ?? "");
  const id = createHash("sha256")
    .update(JSON.stringify([rest, sessionContext]))
    .digest("hex");
  return { ...rest, sessionContext, id };
}

/** A chain that reads requests, or passes bytes on where it is given a route. */
export function toChain(
  termination: TlsTermination | undefined,
  changes: Partial<CompiledTlsChain> = {},
): CompiledTlsChain {
  const carries = changes.stream === undefined ? "http" : "stream";
  return { listener: toListener({ protocol: "https" }), termination, carries, stream: undefined, ...changes };
}

/** Ways by exact server name; "" for clients that send none, `*` for all others. */
export function toTls(chains: Readonly<Record<string, CompiledTlsChain>>): CompiledTls {
  return { choose: (serverName) => chains[serverName ?? ""] ?? (serverName === undefined ? undefined : chains["*"]) };
}
