/** Says in the operator's terms why a port cannot be bound, and what to do about it. */
import { toBindKey, type Listener } from "@sallyport/model/listener";
import type { ObjectRef, Problem } from "@sallyport/model/problem";

/** What is known of the place that could not be bound. */
export interface BindPlace {
  readonly address: string;
  /** Bound port. */
  readonly port: number;
  /** Key, advertised port and protocol of a listener that wants it. */
  readonly listener: Pick<Listener, "key" | "port" | "protocol">;
}

/** The error of listen() as a problem of the configuration. */
export function toBindProblem(error: unknown, place: BindPlace): Problem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return {
    code: "port-unavailable",
    severity: "error",
    message: `cannot listen on ${toBindKey({ bind: place, protocol: place.listener.protocol })} for listener ${place.listener.key}: ${describe(code, error)}`,
    ...toGateway(place.listener.key),
    hint: advise(code, place),
  };
}

function describe(code: string, error: unknown): string {
  switch (code) {
    case "EACCES":
      return "permission denied";
    case "EADDRINUSE":
      return "the port is in use";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "EMFILE":
      return "too many open files";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function advise(code: string, { address, port, listener }: BindPlace): string {
  switch (code) {
    case "EACCES":
      return `ports below 1024 need privileges; bind another one with --port-map ${listener.port}=${toFreePort(port)}`;
    case "EADDRINUSE":
      return `stop what listens there (ss ${listener.protocol === "udp" ? "-lunp" : "-ltnp"} 'sport = :${port}' shows it) or bind another port with --port-map ${listener.port}=${toFreePort(port)}`;
    case "EADDRNOTAVAIL":
      return `give the Gateway an address of this machine, or none, instead of ${address}`;
    case "EMFILE":
      return "raise the limit of open files (ulimit -n)";
    default:
      return "correct the listener's address or port";
  }
}

/** 80 becomes 8080 and 443 becomes 8443, as everybody does; others move up. */
function toFreePort(port: number): number {
  if (port === 80) return 8080;
  if (port === 443) return 8443;
  return port < 1024 ? port + 10_000 : port + 1;
}

/** Listener keys are namespace/gateway/listener. */
function toGateway(key: string): { readonly object?: ObjectRef } {
  const [namespace, name] = key.split("/");
  if (namespace === undefined || name === undefined) return {};
  return { object: { group: "gateway.networking.k8s.io", kind: "Gateway", namespace, name } };
}
