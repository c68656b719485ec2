/** The fields `faultInjection`, `compression`, `responseOverride` and `requestBody` of a policy. */
import type { Page } from "@sallyport/model/page";
import type { CompressionPolicy, FaultPolicy, ResponseOverridePolicy } from "@sallyport/model/policy";
import { checkPolicy } from "@sallyport/model/policy-check";
import type {
  BackendTrafficPolicyCompression,
  BackendTrafficPolicyFaultInjection,
  BackendTrafficPolicyRequestBody,
  BackendTrafficPolicyResponseOverride,
} from "../../kube/generated/types/backend-traffic-policy.ts";
import type { FieldSettings } from "./settings.ts";
import { toShare, type ValueReader } from "./values.ts";

/** What is answered where the policy names a status of gRPC alone. */
const ABORTED = 503;

/** Translates `spec.faultInjection`. */
export function translateFault(
  { delay, abort }: BackendTrafficPolicyFaultInjection,
  path: string,
  read: ValueReader,
): FieldSettings {
  const milliseconds = read.milliseconds(delay?.fixedDelay, `${path}.delay.fixedDelay`);
  const fault: FaultPolicy = {
    kind: "fault",
    ...(delay === undefined || milliseconds === undefined
      ? {}
      : { delay: { share: toShare(delay.percentage), milliseconds } }),
    ...(abort === undefined
      ? {}
      : {
          abort: {
            share: toShare(abort.percentage),
            status: abort.httpStatus ?? ABORTED,
            ...(abort.grpcStatus === undefined ? {} : { grpcStatus: abort.grpcStatus }),
          },
        }),
  };
  return { rule: { contents: [fault] } };
}

/** Answers shorter than this stay as they are where the policy does not say: bytes, the default of its schema. */
const SHORTEST = 1024;

const CODINGS = { Gzip: "gzip", Brotli: "br", Zstd: "zstd" } as const;

/** Translates `spec.compression`. */
export function translateCompression(
  { codings, minimumLength, contentTypes }: BackendTrafficPolicyCompression,
  path: string,
  read: ValueReader,
): FieldSettings {
  const compression: CompressionPolicy = {
    kind: "compression",
    codings: codings.map(({ type, level }) => ({ name: CODINGS[type], ...(level === undefined ? {} : { level }) })),
    minimumLength: read.bytes(minimumLength, `${path}.minimumLength`) ?? SHORTEST,
    contentTypes: contentTypes.map((type) => type.toLowerCase()),
  };
  return { rule: { contents: [compression] } };
}

const PLAIN_TEXT = "text/plain; charset=utf-8";
const SOURCES = { Any: "any", Upstream: "upstream", Local: "local" } as const;

/** Translates `spec.responseOverride`. Pages stand beside rules, not in them: each is there once, however many rules answer with it. */
export function translateOverrides(
  overrides: readonly BackendTrafficPolicyResponseOverride[],
  path: string,
  read: ValueReader,
): FieldSettings {
  const pages: Page[] = [];
  const usable = overrides.flatMap((each, index) => toOverride(each, `${path}[${index}]`, read, pages));
  if (usable.length === 0) return {};
  const rule: FieldSettings["rule"] = { contents: [{ kind: "response-override", overrides: usable }] };
  return pages.length === 0 ? { rule } : { rule, pages };
}

/** None where what it answers cannot stand in an answer; without statuses that can be used it is for none. */
function toOverride(
  { statuses, source, response }: BackendTrafficPolicyResponseOverride,
  path: string,
  read: ValueReader,
  pages: Page[],
): ResponseOverridePolicy["overrides"] {
  const { status, headers = [], contentType = PLAIN_TEXT, body } = response;
  const override: ResponseOverridePolicy["overrides"][number] = {
    statuses: read.statuses(statuses, `${path}.statuses`),
    source: SOURCES[source],
    ...(status === undefined ? {} : { status }),
    headers: headers.map(({ name, value }) => ({ name, value })),
    ...(body === undefined ? {} : { page: toPageKey(pages, read.owner, { contentType, text: body }) }),
  };
  const problems = checkPolicy({ kind: "response-override", overrides: [override] }, path);
  for (const problem of problems) {
    const place = (problem.path ?? path).replace(".overrides[0]", ".response");
    read.refuse(place, problem.message, problem.hint);
  }
  return problems.length === 0 && override.statuses.length > 0 ? [override] : [];
}

/** The key of a page of this policy, which is added unless it is there. */
function toPageKey(pages: Page[], owner: string, { contentType, text }: Pick<Page, "contentType" | "text">): string {
  const known = pages.find((page) => page.text === text && page.contentType === contentType);
  if (known !== undefined) return known.key;
  const key = `${owner}/${pages.length}`;
  pages.push({ kind: "page", key, contentType, text });
  return key;
}

/** Translates `spec.requestBody`. */
export function translateRequestBody(
  { maxBytes, buffer }: BackendTrafficPolicyRequestBody,
  path: string,
  read: ValueReader,
): FieldSettings {
  const most = read.bytes(maxBytes, `${path}.maxBytes`);
  return most === undefined ? {} : { rule: { contents: [{ kind: "request-body", maxBytes: most, whole: buffer }] } };
}
