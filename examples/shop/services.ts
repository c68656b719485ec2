/** The services of the shop: which instances they have, and where objects/services.yaml expects them. */
import { fileURLToPath } from "node:url";

/** Of each service its back door, then its instances. */
export const PORTS = {
  web: [9400, 9401],
  catalogue: [9410, 9411, 9412, 9413],
  cart: [9420, 9421, 9422],
  checkout: [9430, 9431, 9432, 9433],
} as const;

/** Which service; also the name of its program and of its Service. */
export type ServiceName = keyof typeof PORTS;

/** What Node is to be started with for a service on these ports. */
export function toCommand(service: ServiceName, ports: readonly number[]): readonly string[] {
  return [fileURLToPath(new URL(`services/${service}.ts`, import.meta.url)), ...ports.map(String)];
}

/** All of them. */
export function serviceNames(): readonly ServiceName[] {
  return ["web", "catalogue", "cart", "checkout"];
}
