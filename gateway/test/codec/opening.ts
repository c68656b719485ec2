/** What the client role of a codec is opened with in its contract suite. */
import type { ConnectionOwner, OpenOptions } from "../../src/cluster/contract.ts";
import type { UpstreamDependencies } from "../../src/exchange/dependencies.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { UNHEARD } from "../unheard.ts";

/** How often the owner of a connection was told what. */
export interface ToldOwner {
  connected: number;
  idle: number;
  closed: number;
}

/** A connection to a port of this machine, whose owner counts. */
export function toOpening(
  port: number,
  told: ToldOwner,
): Pick<OpenOptions, "cluster" | "endpoint" | "connectTimeout"> & { readonly owner: ConnectionOwner } {
  return {
    cluster: "test/main:80",
    endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}`, active: () => 0, ...UNHEARD },
    connectTimeout: 5000,
    owner: {
      onConnected: () => void told.connected++,
      onIdle: () => void told.idle++,
      onCapacity: () => undefined,
      onDraining: () => undefined,
      onClosed: () => void told.closed++,
    },
  };
}

/** Clocks that stand still, and a log that fails the test. */
export function toUpstreamDependencies(): UpstreamDependencies {
  const fail = (message: string, fields: object): never => {
    throw new Error(message, { cause: fields });
  };
  return {
    clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
    recorder: { upstreamConnect: () => undefined, upstreamClosed: () => undefined },
    log: { error: fail, warn: fail },
  };
}
