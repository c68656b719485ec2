// The objects that the k6 scenarios run against: a small shop with redirects and header filters, and one route that is
// edited while it serves.
import { mkdirSync } from "node:fs";
import { gateway, gatewayClass, httpRoute, replaceFile, service } from "./sallyport-objects.ts";

/** Host of the shop. */
export const shopHost = "shop.example.test";

/** Where the shop listens and who answers for it. */
export interface ShopSetup {
  readonly port: number;
  readonly backendA: number;
  readonly backendB: number;
}

/** Fills the directory with the shop, its edited route at version 0. */
export function writeShop(directory: string, setup: ShopSetup): void {
  mkdirSync(directory, { recursive: true });
  replaceFile(directory, "gateway.yaml", [gatewayClass(), gateway(setup.port)]);
  replaceFile(directory, "services.yaml", [service("a", [setup.backendA]), service("b", [setup.backendB])]);
  replaceFile(directory, "routes.yaml", [
    httpRoute({ name: "home", path: "/", service: "a", host: shopHost }),
    httpRoute({
      name: "products",
      path: "/products",
      service: "a",
      host: shopHost,
      filters: header("X-Shop", "products"),
    }),
    redirectRoute(),
  ]);
  editRoute(directory, 0);
}

/** Writes one version of the edited route; every fifth version brings ten more routes, the next takes them away. */
export function editRoute(directory: string, version: number): void {
  const backend = version % 2 === 0 ? "a" : "b";
  const filters = header("X-Version", String(version));
  const extra = version % 5 === 0 ? 10 : 0;
  replaceFile(directory, "flip.yaml", [
    httpRoute({ name: "flip", path: "/flip", service: backend, host: shopHost, filters }),
    ...Array.from({ length: extra }, (_, index) => {
      return httpRoute({
        name: `extra-${index}`,
        path: `/extra-${index}`,
        service: "b",
        host: `extra-${index}.example.test`,
      });
    }),
  ]);
}

function header(name: string, value: string): string {
  return `        - type: ResponseHeaderModifier
          responseHeaderModifier:
            set:
              - name: ${name}
                value: ${JSON.stringify(value)}
`;
}

function redirectRoute(): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: moved
  namespace: default
spec:
  parentRefs:
    - name: bench
  hostnames:
    - ${shopHost}
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /old
      filters:
        - type: RequestRedirect
          requestRedirect:
            statusCode: 302
            path:
              type: ReplaceFullPath
              replaceFullPath: /new
`;
}
