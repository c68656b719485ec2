/** One Gateway, judged by itself: class, parameters, addresses, annotations, and its listeners and ListenerSets one by one. */
import type { World, WorldObject } from "../../world/world.ts";
import type { Finding, Flaw } from "../flaw.ts";
import type { TranslateOptions } from "../translator.ts";
import { resolveBackendCertificate } from "./certificates.ts";
import { judgeAddresses } from "./gateway-addresses.ts";
import { findClassParameterFlaws, findGatewayParameterFlaws, findParameterRemarks } from "./gateway-parameters.ts";
import type { GatewayDraft } from "./gateway-plan.ts";
import { readGatewaySettings } from "./gateway-settings.ts";
import { draftListenerSet } from "./listener-sets.ts";
import { draftListener, type GatewayContext } from "./listeners.ts";

/** A Gateway of ours with what belongs to it. */
export interface GatewayParts {
  readonly gateway: WorldObject<"Gateway">;
  readonly gatewayClass: WorldObject<"GatewayClass">;
  /** In order of precedence. */
  readonly sets: readonly WorldObject<"ListenerSet">[];
}

/** Judges one Gateway. */
export function draftGateway(world: World, options: TranslateOptions, parts: GatewayParts): GatewayDraft {
  const { gateway, gatewayClass, sets } = parts;
  const addresses = judgeAddresses(world, gateway, options);
  const { settings, flaws: settingFlaws, remarks } = readGatewaySettings(gateway);
  const { backendCertificate, unresolved } = resolveBackendCertificate(world, gateway);
  const context: GatewayContext = { world, options, gateway, addresses: addresses.binds };
  return {
    gateway,
    flaws: [
      ...findRejectedClass(world, gatewayClass),
      ...findGatewayParameterFlaws(world, gateway),
      ...addresses.flaws,
      ...settingFlaws,
    ],
    unresolved,
    remarks: [...remarks, ...findParameterRemarks(world, options, gateway), ...findRemarks(gateway)],
    settings,
    addresses,
    backendCertificate,
    listeners: gateway.object.spec.listeners.map((spec, index) =>
      draftListener({ ...context, owner: gateway }, spec, index),
    ),
    sets: sets.map((set) => draftListenerSet(context, set)),
  };
}

function findRejectedClass(world: World, gatewayClass: WorldObject<"GatewayClass">): Flaw[] {
  if (findClassParameterFlaws(world, gatewayClass).length === 0) return [];
  const message = `its GatewayClass ${gatewayClass.name} is not accepted`;
  return [{ reason: "Invalid", code: "unsupported-value", path: "spec.gatewayClassName", message }];
}

/** Fields that have no effect and do no harm by it. */
function findRemarks({ object: { spec } }: WorldObject<"Gateway">): Finding[] {
  if (spec.defaultScope !== "All") return [];
  const message = "default Gateways are not supported: routes must name this one";
  return [{ code: "unsupported-value", path: "spec.defaultScope", message }];
}
