// The peers that a run may choose from, in the order of the report.
import { haproxyPeer } from "./haproxy.ts";
import { envoyPeer } from "./envoy.ts";
import { nginxPeer } from "./nginx.ts";
import { httpProxyPeer, undiciPeer, uwebsocketsPeer } from "./node-baselines.ts";
import type { Peer } from "./peer.ts";
import { sallyportPeer, type SallyportForm } from "./sallyport.ts";
import { traefikPeer } from "./traefik.ts";

/** Every peer, Sallyport first. */
export function allPeers(form: SallyportForm): readonly Peer[] {
  return [
    sallyportPeer(form),
    haproxyPeer,
    nginxPeer,
    envoyPeer,
    traefikPeer,
    undiciPeer,
    httpProxyPeer,
    uwebsocketsPeer,
  ];
}
