/** From a directory to a configuration: the composition of world and translation that every command shares. */
import { loadWorld } from "@sallyport/controller/world/load";
import { pinpointProblems } from "@sallyport/controller/world/pinpoint";
import { WorldWatch } from "@sallyport/controller/world/watch";
import type { World } from "@sallyport/controller/world/world";
import { FULL_TRUST } from "@sallyport/controller/translate/service-trust";
import { translateWorld } from "@sallyport/controller/translate/run";
import type { WorldTranslation } from "@sallyport/controller/translate/translator";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";

/** GatewayClasses that name this controller are ours. */
const CONTROLLER_NAME = "sallyport.io/gateway-controller";

/** What the command line decides about translation. */
export interface ConfigurationOptions {
  readonly portMap: ReadonlyMap<number, number>;
  readonly bindAddress: string;
  /** Proxies in front of us that are trusted to have written X-Forwarded-For. */
  readonly trustedHops: number;
}

/** What `check` and `translate` assume; nothing they say depends on it. */
export const DEFAULT_OPTIONS: ConfigurationOptions = { portMap: new Map(), bindAddress: "0.0.0.0", trustedHops: 0 };

/** What a directory came to. */
export interface Configuration {
  /** Absent where the files have errors: there is nothing that could be served as its author meant it. */
  readonly translation?: WorldTranslation;
  /** Of reading and of translation. */
  readonly problems: readonly Problem[];
  /** Files that changed since the configuration before; empty for a first one. */
  readonly changed: readonly string[];
}

/** Reads a directory (or a file) once. */
export async function readConfiguration(path: string, options: ConfigurationOptions): Promise<Configuration> {
  const { world, problems } = await loadWorld(path);
  return toConfiguration(world, { problems, changed: [] }, options);
}

/** A directory that is followed. */
export interface FollowedConfiguration {
  readonly first: Configuration;
  /** Resolves when no more change is reported. */
  readonly close: () => Promise<void>;
}

/** Reads a directory and reports every later change of it, one at a time and in order. */
export async function followConfiguration(
  path: string,
  options: ConfigurationOptions,
  onChange: (configuration: Configuration) => Promise<unknown>,
): Promise<FollowedConfiguration> {
  let last: Promise<unknown> = Promise.resolve();
  const watch = new WorldWatch(path, ({ world, problems, changedFiles }) => {
    last = last.then(async () => onChange(await toConfiguration(world, { problems, changed: changedFiles }, options)));
  });
  const { world, problems } = await watch.start();
  return {
    first: await toConfiguration(world, { problems, changed: [] }, options),
    close: async () => {
      await watch.close();
      await last;
    },
  };
}

async function toConfiguration(
  world: World | undefined,
  read: { readonly problems: readonly Problem[]; readonly changed: readonly string[] },
  options: ConfigurationOptions,
): Promise<Configuration> {
  if (world === undefined) return read;
  const translation = translateWorld(world, {
    controllerName: CONTROLLER_NAME,
    toBindPort: (port) => options.portMap.get(port) ?? port,
    bindAddress: options.bindAddress,
    trust: FULL_TRUST,
    http: { ...DEFAULT_HTTP_SERVER_OPTIONS, trustedHops: options.trustedHops },
  });
  return {
    translation,
    problems: [...read.problems, ...(await pinpointProblems(translation.problems))],
    changed: read.changed,
  };
}
