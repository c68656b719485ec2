// What scripts/generate-resource-validators.ts promises of the file beside this one.
import type { DefinedError } from "ajv";
import type { Cluster } from "../cluster.ts";
import type { EndpointSet } from "../endpoint.ts";
import type { Listener } from "../listener.ts";
import type { Page } from "../page.ts";
import type { HttpRoute, StreamRoute } from "../route.ts";
import type { Authorities, CertificateSecret } from "../secret.ts";

export interface Validator<T> {
  (value: unknown): value is T;
  errors?: DefinedError[] | null;
}

export const listener: Validator<Listener>;
export const httpRoute: Validator<HttpRoute>;
export const streamRoute: Validator<StreamRoute>;
export const cluster: Validator<Cluster>;
export const endpoints: Validator<EndpointSet>;
export const secret: Validator<CertificateSecret>;
export const authorities: Validator<Authorities>;
export const page: Validator<Page>;
