/**
 * Addresses of Gateways. From a directory of files they are what is bound. In a cluster proxies bind whatever their pods have,
 * and addresses are those of their Services: `spec.addresses` is what these ask the load balancer for.
 */
import type { World, WorldObject } from "../../world/world.ts";
import type { Flaw } from "../flaw.ts";
import { toIpVersion, toPlainAddress } from "../ip-address.ts";
import { toServiceName } from "../proxy-names.ts";
import { findServiceAddresses, type ServiceAddress } from "../service-addresses.ts";
import type { TranslateOptions } from "../translator.ts";
import type { GatewayAddresses } from "./gateway-plan.ts";

/** Judges `spec.addresses`. */
export function judgeAddresses(
  world: World,
  gateway: WorldObject<"Gateway">,
  { bindAddress, proxies }: TranslateOptions,
): GatewayAddresses {
  const { asked, flaws } = readAddresses(gateway);
  if (proxies === undefined) {
    const values = new Set(asked.map(({ value }) => (value === "" ? bindAddress : value)));
    const given = asked.flatMap(({ value }) => (value === "" ? [] : [{ type: IP_ADDRESS, value }]));
    const binds = values.size === 0 ? [bindAddress] : dropCovered(values);
    return { binds, given: flaws.length > 0 ? [] : given, flaws, missing: [] };
  }
  const binds = [bindAddress];
  // Nothing is asked of anybody for a Gateway that is not accepted.
  if (flaws.length > 0) return { binds, given: [], flaws, missing: [] };
  return { binds, flaws, ...collect(world, gateway, asked.length > 0 ? asked : [ANY_ADDRESS]) };
}

const IP_ADDRESS = "IPAddress";

/** One address that is asked for; the value is empty where any will do. */
interface AskedAddress {
  readonly value: string;
  readonly path: string;
}

const ANY_ADDRESS: AskedAddress = { value: "", path: "spec.addresses" };

function readAddresses({ object: { spec } }: WorldObject<"Gateway">): {
  readonly asked: readonly AskedAddress[];
  readonly flaws: readonly Flaw[];
} {
  const asked: AskedAddress[] = [];
  const flaws: Flaw[] = [];
  for (const [index, { type, value = "" }] of (spec.addresses ?? []).entries()) {
    const path = `spec.addresses[${index}]`;
    if (type !== IP_ADDRESS) flaws.push(toUnsupported(`${path}.type`, `addresses of type ${type} are not supported`));
    else if (value !== "" && toIpVersion(value) === undefined)
      flaws.push(toUnsupported(`${path}.value`, `${value} is no IP address`));
    else asked.push({ value, path });
  }
  return { asked, flaws };
}

/** An unspecified address is bound for all of its family (`::` for both): nothing else can be bound beside it. */
function dropCovered(addresses: ReadonlySet<string>): string[] {
  if (addresses.has("::")) return ["::"];
  if (!addresses.has("0.0.0.0")) return [...addresses];
  return [...addresses].filter((address) => address === "0.0.0.0" || toIpVersion(address) === 6);
}

function toUnsupported(path: string, message: string): Flaw {
  return { reason: "UnsupportedAddress", code: "unsupported-value", path, message, hint: "use the type IPAddress" };
}

/** What the Services of the proxies got of what is asked for. An address that nobody asked for is no address of the Gateway. */
function collect(
  world: World,
  gateway: WorldObject<"Gateway">,
  asked: readonly AskedAddress[],
): Pick<GatewayAddresses, "given" | "missing"> {
  const given = new Map<string, GatewayAddresses["given"][number]>();
  const missing: Flaw[] = [];
  for (const address of asked) {
    const name = toServiceName(gateway, gateway.object.spec.gatewayClassName, address.value);
    const service = world.get("Service", gateway.namespace, name);
    const found = service === undefined ? [] : findServiceAddresses(service);
    const wanted = found.filter(
      ({ value }) => address.value === "" || toPlainAddress(value) === toPlainAddress(address.value),
    );
    for (const each of wanted) {
      const value = address.value === "" ? each.value : address.value;
      given.set(value, { type: toType(each), value });
    }
    if (wanted.length > 0) continue;
    const isRefused = service !== undefined && address.value !== "";
    missing.push(isRefused ? toUnusable(address, name) : toUnassigned(address, name));
  }
  // What cannot be had stands before what is only not there yet.
  missing.sort((left, right) => (left.reason === right.reason ? 0 : left.reason === NOT_USABLE ? -1 : 1));
  return { given: [...given.values()].slice(0, MOST_ADDRESSES), missing };
}

/** GatewayStatus.addresses: a list holds no more. */
const MOST_ADDRESSES = 16;
/** Reason of an address that was asked for and given to somebody else, or cannot be given to anybody. */
export const NOT_USABLE = "AddressNotUsable";

function toType({ kind }: ServiceAddress): string {
  return kind === "ip" ? IP_ADDRESS : "Hostname";
}

function toUnusable({ value, path }: AskedAddress, service: string): Flaw {
  const message = `the address ${value} was not given to the Service ${service}, which asks for it`;
  const hint =
    "the events of the Service say why; ask for an address that the cluster's load balancer has, or for none";
  return { reason: NOT_USABLE, code: "unsupported-value", path: `${path}.value`, message, hint };
}

function toUnassigned({ path }: AskedAddress, service: string): Flaw {
  const message = `the Service ${service} has no address yet`;
  const hint = "a Service of type LoadBalancer needs somebody in the cluster who gives addresses";
  return { reason: "AddressNotAssigned", code: "unresolved-reference", path, message, hint };
}
