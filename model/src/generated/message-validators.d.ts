// What scripts/generate-resource-validators.ts promises of the file beside this one.
import type { CertifyRequest, CertifyResponse, ControllerMessage, ProxyMessage } from "../distribution.ts";
import type { Validator } from "./resource-validators.js";

export const certifyRequest: Validator<CertifyRequest>;
export const certifyResponse: Validator<CertifyResponse>;
export const proxyMessage: Validator<ProxyMessage>;
export const controllerMessage: Validator<ControllerMessage>;
