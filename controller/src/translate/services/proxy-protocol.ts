/**
 * The annotation `sallyport.io/proxy-protocol` of a Service: with `v1` or `v2` connections that TCPRoutes and TLSRoutes make
 * to it begin with a PROXY header of that version, which tells the backend who the client is.
 */
import type { Cluster } from "@sallyport/model/cluster";
import type { WorldObject } from "../../world/world.ts";
import type { Finding } from "../flaw.ts";
import type { ClusterRef } from "../service-port.ts";

const PROXY_PROTOCOL_ANNOTATION = "sallyport.io/proxy-protocol";

/** Who sends to a cluster. */
export interface ClusterUsers {
  /** Routes whose exchanges share connections. */
  readonly http: boolean;
  /** Routes that pass the bytes of connections on. */
  readonly stream: boolean;
}

/** The version of the header for a cluster, and what is to say about the annotation. */
export function parseProxyProtocol(
  service: WorldObject<"Service">,
  { transport }: ClusterRef,
  users: ClusterUsers,
): { readonly version?: Cluster["proxyProtocol"]; readonly findings: readonly Finding[] } {
  const annotation = service.object.metadata.annotations?.[PROXY_PROTOCOL_ANNOTATION];
  if (annotation === undefined || transport === "udp") return { findings: [] };
  const path = `metadata.annotations["${PROXY_PROTOCOL_ANNOTATION}"]`;
  if (annotation !== "v1" && annotation !== "v2") {
    const message = `${JSON.stringify(annotation)} is no version of the PROXY protocol, so no header is sent`;
    return { findings: [{ code: "invalid-value", path, message, hint: "write v1 or v2" }] };
  }
  const findings: Finding[] = users.http ? [toHttpRemark(path)] : [];
  return users.stream ? { version: annotation, findings } : { findings };
}

function toHttpRemark(path: string): Finding {
  const message = "HTTP connections to this Service begin without a PROXY header: many clients share them";
  return {
    code: "unsupported-value",
    path,
    message,
    hint: "the backend finds the client's address in X-Forwarded-For; it must take connections without the header",
  };
}
