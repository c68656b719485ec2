/** `sallyport gateway`: serves what a controller says, as one of the proxies of a Gateway. */
import { hostname } from "node:os";
import type { FollowedController } from "@sallyport/gateway/remote-contract";
import { followController } from "@sallyport/gateway/remote";
import { returnSpareMemory } from "@sallyport/gateway/spare-memory";
import { startGateway } from "@sallyport/gateway/supervisor";
import { toHostPort } from "@sallyport/model/listener";
import type { HostPort } from "../options.ts";
import { type Logging, serveWith, type ServingOptions, toGatewayOptions } from "../serving.ts";
import { VERSION } from "../version.ts";

/** Options of `sallyport gateway`, as main.ts parsed them. */
export interface GatewayCommandOptions extends ServingOptions {
  readonly group: string;
  readonly controller: HostPort;
  readonly ca: string;
  readonly token: string;
  readonly stateDir: string;
}

/** Runs until drained, with a controller or without. Sets the exit code: 0 after a drain, 1 where it could not start. */
export async function runGateway(options: GatewayCommandOptions): Promise<void> {
  await serveWith(options, (logging) => serve(options, logging));
}

async function serve(options: GatewayCommandOptions, logging: Logging): Promise<void> {
  let followed: FollowedController | undefined;
  const gateway = await startGateway({ ...toGatewayOptions(options, logging), remote: () => followed?.facts() });
  try {
    followed = await followController(gateway, {
      group: options.group,
      controller: toHostPort({ address: options.controller.host, port: options.controller.port }),
      caFile: options.ca,
      tokenFile: options.token,
      stateDirectory: options.stateDir,
      proxy: process.env["POD_NAME"] ?? hostname(),
      node: process.env["NODE_NAME"],
      version: VERSION,
      log: logging.log,
    });
    returnSpareMemory();
    await gateway.closed;
  } finally {
    await followed?.close();
    await gateway.close();
  }
}
