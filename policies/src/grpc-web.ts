/**
 * gRPC-Web (grpc/doc/PROTOCOL-WEB.md): browsers cannot read trailers, so a call from one goes upstream as plain gRPC, and the
 * trailers of its answer become the last frame of the body. Messages are framed alike in both. The text form (base64) is
 * left to whoever serves it.
 */
import type { Filter, RequestView } from "./filter.ts";

const WEB = "application/grpc-web";
const GRPC = "application/grpc";
/** Bit 7 of the flags of a frame: it holds trailers. */
const TRAILERS_FLAG = 0x80;
const FRAME_HEAD = 5;

/** Translates calls of gRPC-Web; everything else passes untouched. */
export const GRPC_WEB: Filter = {
  deterministic: true,
  onRequest(request) {
    if (request.isGrpc || request.method !== "POST") return undefined;
    const subtype = toSubtype(request.header("content-type"), WEB);
    if (subtype === undefined) return undefined;
    request.setHeader("content-type", `${GRPC}${subtype}`);
    request.beGrpc();
    return undefined;
  },
  concerns: (request: RequestView) => request.isTranslatedGrpc,
  onResponse(response) {
    const subtype = toSubtype(response.header("content-type"), GRPC);
    // an answer of something that is no gRPC server: the client makes of its status what it likes
    if (subtype === undefined) return;
    response.setHeader("content-type", `${WEB}${subtype}`);
    response.closeBody(toTrailersFrame);
    // a call that ended at once has its status in the head, where scripts see only what is named
    if (response.header("grpc-status") === undefined || response.header("access-control-allow-origin") === undefined)
      return;
    response.addHeader("access-control-expose-headers", "grpc-status,grpc-message,grpc-status-details-bin");
  },
};

/** What follows `type` in a content type (`+proto`, parameters, ""); undefined where it is another type. */
function toSubtype(contentType: string | undefined, type: string): string | undefined {
  if (contentType === undefined || contentType.slice(0, type.length).toLowerCase() !== type) return undefined;
  const rest = contentType.slice(type.length);
  return rest === "" || /^[+; \t]/.test(rest) ? rest : undefined;
}

/** Names are lower case in gRPC-Web. */
function toTrailersFrame(trailers: string): Uint8Array {
  const lines = trailers.replace(/^[^:\r\n]+:/gm, (name) => name.toLowerCase());
  const frame = new Uint8Array(FRAME_HEAD + lines.length);
  frame[0] = TRAILERS_FLAG;
  new DataView(frame.buffer).setUint32(1, lines.length);
  // one character is one byte
  for (let i = 0; i < lines.length; i++) frame[FRAME_HEAD + i] = lines.charCodeAt(i);
  return frame;
}
