/**
 * Where proxies of a cluster bind what their Gateway advertises. They run without privileges, so that ports below 1024 are not
 * theirs to bind, and some ports are for the proxy itself (metrics and admin). Their Service leads the advertised port to the
 * bound one.
 */

const STRIDE = 10_000;
/** Ports below it need CAP_NET_BIND_SERVICE. */
const PRIVILEGED = 1024;
/** What the proxy has for itself (15000 admin, 15020 metrics and readiness), with room for more. */
const OWN = { lowest: 15_000, from: 5000, to: 5099 };
const HIGHEST = 65_535;

/**
 * The port that proxies bind for an advertised one; undefined where there is none. No two ports have the same: those that
 * move go up by 10 000, and so do those that they would meet there.
 */
export function toClusterBindPort(port: number): number | undefined {
  const place = port % STRIDE;
  const isMoved = place < PRIVILEGED || (port >= OWN.lowest && place >= OWN.from && place <= OWN.to);
  const bound = isMoved ? port + STRIDE : port;
  return bound <= HIGHEST ? bound : undefined;
}
