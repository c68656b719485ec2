// Every protocol case, in one list; ids are unique and never change their meaning.
import type { ProtocolCase } from "./case.ts";
import { chunkExtensionCases } from "./cases/chunk-extensions.ts";
import { chunkedCases } from "./cases/chunked.ts";
import { contentLengthCases } from "./cases/content-length.ts";
import { earlyResponseCases } from "./cases/early-responses.ts";
import { expectCases } from "./cases/expect.ts";
import { headerCases } from "./cases/headers.ts";
import { hopByHopCases } from "./cases/hop-by-hop.ts";
import { hostCases } from "./cases/host.ts";
import { http10Cases } from "./cases/http10.ts";
import { identityCases } from "./cases/identity.ts";
import { interimCases } from "./cases/interim-responses.ts";
import { normalisationCases } from "./cases/normalisation.ts";
import { pipeliningCases } from "./cases/pipelining.ts";
import { requestLineCases } from "./cases/request-line.ts";
import { requestTargetCases } from "./cases/request-target.ts";
import { responseBodyCases } from "./cases/response-bodies.ts";
import { responseFramingCases } from "./cases/response-framing.ts";
import { responseHeadCases } from "./cases/response-heads.ts";
import { smugglingCodingCases } from "./cases/smuggling-coding.ts";
import { lengthAgainstCodingCases } from "./cases/smuggling-length-coding.ts";
import { trailerCases } from "./cases/trailers.ts";
import { upgradeCases } from "./cases/upgrade.ts";

/** All cases, grouped by topic in a fixed order. */
export const catalogue: readonly ProtocolCase[] = [
  ...requestLineCases,
  ...requestTargetCases,
  ...hostCases,
  ...headerCases,
  ...contentLengthCases,
  ...chunkedCases,
  ...chunkExtensionCases,
  ...trailerCases,
  ...lengthAgainstCodingCases,
  ...smugglingCodingCases,
  ...expectCases,
  ...pipeliningCases,
  ...http10Cases,
  ...upgradeCases,
  ...hopByHopCases,
  ...identityCases,
  ...normalisationCases,
  ...responseHeadCases,
  ...responseFramingCases,
  ...responseBodyCases,
  ...interimCases,
  ...earlyResponseCases,
];
